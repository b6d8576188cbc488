from django.contrib import admin

from regulations.admin.base import BETWEEN, ONE_OF, Cards, RecordAdmin, dated
from regulations.admin.citations import CitationInline
from regulations.admin.forms import RecordForm
from regulations.models import Measure, MeasureEffect


class MeasureForm(RecordForm):
    key_name = "slug"


class EffectForm(RecordForm):
    siblings = ["measure"]


class EffectInline(Cards):
    model = MeasureEffect
    form = EffectForm
    fields = ["position", ("who", "effect"), ("still_open", "closed")]
    verbose_name = "group of people"
    verbose_name_plural = "whom it affects"


@admin.register(Measure)
class MeasureAdmin(RecordAdmin):
    form = MeasureForm
    key_name = "slug"
    collection = "measures"
    ranked_by = ["title"]
    list_display = ["title", "company", dated("effective_from", "in effect from"), dated("effective_until", "until")]
    list_filter = [("company", ONE_OF), ("topics", ONE_OF), ("effective_from", BETWEEN)]
    search_fields = ["slug", "title", "company__name"]
    search_help_text = "Headline, company or key"
    follows = ["company"]
    inlines = [EffectInline, CitationInline]
    prepopulated_fields = {"slug": ["title"]}
    readonly_fields = ["in_the_api"]
    fieldsets = [
        (None, {"fields": ["title", "company", "topics", "summary"]}),
        (
            "From when to when",
            {
                "fields": [
                    ("announced_on", "announced_on_precision"),
                    ("effective_from", "effective_from_precision", "effective_until"),
                ]
            },
        ),
        (
            "What it asks",
            {"fields": ["data_collected", "not_covered", ("limit_amount", "limit_unit", "limit_period")]},
        ),
        ("Address", {"fields": [("slug", "in_the_api")]}),
    ]
