"""What must hold of the resources before the first request is answered."""

from collections.abc import Iterable, Iterator
from importlib import import_module
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error

from kbase.reading.fields import NotProjectableError, project
from kbase.reading.resources import Resource


def resources_can_be_read(app_configs: Any, **options: Any) -> list[CheckMessage]:
    """Report each serializer that PostgreSQL cannot render; there is no slow way to fall back to in silence."""
    import_module(settings.ROOT_URLCONF)
    return list(_errors(Resource.__subclasses__()))


def _errors(resources: Iterable[type[Resource]]) -> Iterator[CheckMessage]:
    for resource in resources:
        for serializer in (resource.serializer_class, resource.detail_serializer_class):
            try:
                project(serializer())
            except NotProjectableError as refused:
                yield Error(str(refused), obj=resource, id="reading.E001")
