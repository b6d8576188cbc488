from django.contrib import admin

from regulations.admin.base import BETWEEN, KIND, ONE_OF, RecordAdmin, dated
from regulations.admin.citations import CitationInline
from regulations.admin.forms import RecordForm
from regulations.models import Stance


class StanceForm(RecordForm):
    key_name = "key"

    def key_parts(self):
        stance = self.instance
        return [stance.jurisdiction.code, stance.topic.slug, stance.valid_from and stance.valid_from.year]


@admin.register(Stance)
class StanceAdmin(RecordAdmin):
    form = StanceForm
    key_name = "key"
    collection = "stances"
    list_display = ["jurisdiction", "topic", "stance", dated("valid_from", "from"), dated("valid_until", "until")]
    list_display_links = ["stance"]
    list_filter = [("jurisdiction", ONE_OF), ("topic", ONE_OF), ("stance", KIND), ("valid_from", BETWEEN)]
    search_fields = ["key", "^jurisdiction__code", "jurisdiction__name", "topic__name"]
    search_help_text = "Jurisdiction, topic or key"
    follows = ["jurisdiction", "topic"]
    inlines = [CitationInline]
    readonly_fields = ["in_the_api"]
    fieldsets = [
        (None, {"fields": [("jurisdiction", "topic"), "stance"]}),
        (
            "From when to when",
            {"fields": [("valid_from", "valid_from_precision"), ("valid_until", "valid_until_precision")]},
        ),
        ("What it rests on", {"fields": ["policies", "summary"]}),
        ("Address", {"fields": [("key", "in_the_api")]}),
    ]
