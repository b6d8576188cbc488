from django.apps import AppConfig
from django.core import checks


class KbaseConfig(AppConfig):
    name = "kbase"

    def ready(self) -> None:
        from kbase.reading.caching import build
        from kbase.reading.checks import resources_can_be_read

        checks.register(resources_can_be_read)
        # What runs is what was read at the start, whatever becomes of the files.
        build()
