from django.contrib import admin
from unfold.decorators import display

from regulations.admin.base import (
    BETWEEN,
    KIND,
    NOT_KNOWN,
    ONE_OF,
    Cards,
    PointingHere,
    RecordAdmin,
    Rows,
    dated,
    to_page,
)
from regulations.admin.citations import CitationsOfSource
from regulations.admin.forms import RecordForm
from regulations.models import Figure, Mention, Source, SourceRelation
from regulations.models.sources import MENTIONABLE


def _publisher(source):
    return source.publisher or source.publishing_regulator or source.publishing_company


class SourceForm(RecordForm):
    key_name = "slug"

    def key_parts(self):
        publisher = _publisher(self.instance)
        return [publisher.slug, self.instance.title] if publisher else [self.instance.title]


class PlacedInSourceForm(RecordForm):
    siblings = ["source"]


class RelatedInline(Rows):
    model = SourceRelation
    form = PlacedInSourceForm
    fk_name = "source"
    fields = ["position", "target"]
    follows = ["target"]
    verbose_name = "source to read next"
    verbose_name_plural = "more to read"


class MentionInline(Cards):
    model = Mention
    form = PlacedInSourceForm
    fields = [("position", *MENTIONABLE[:4]), tuple(MENTIONABLE[4:])]
    follows = MENTIONABLE
    verbose_name = "mention: exactly one record"
    verbose_name_plural = "mentions"


class FiguresOfSource(PointingHere):
    model = Figure
    fk_name = "source"
    fields = [to_page("self"), "metric", "value", "unit", dated("as_of")]
    verbose_name_plural = "figures read there"


@admin.register(Source)
class SourceAdmin(RecordAdmin):
    form = SourceForm
    key_name = "slug"
    collection = "sources"
    ranked_by = ["title"]
    list_display = ["title", "kind", "published_by", dated("published_on", "published"), "language"]
    list_filter = [
        ("kind", KIND),
        ("publisher", ONE_OF),
        ("publishing_regulator", ONE_OF),
        ("publishing_company", ONE_OF),
        ("published_on", BETWEEN),
    ]
    search_fields = ["slug", "title", "url"]
    search_help_text = "Title, address or key"
    follows = ["publisher", "publishing_regulator", "publishing_company"]
    inlines = [RelatedInline, MentionInline, CitationsOfSource, FiguresOfSource]
    prepopulated_fields = {"slug": ["title"]}
    readonly_fields = ["in_the_api"]
    fieldsets = [
        (
            None,
            {
                "fields": [
                    "title",
                    ("kind", "language"),
                    "url",
                    ("publisher", "publishing_regulator", "publishing_company"),
                    ("published_on", "stated_at", "category"),
                    "summary",
                ]
            },
        ),
        ("Picture", {"fields": [("image_url", "image_credit")]}),
        ("Address", {"fields": [("slug", "in_the_api")]}),
    ]

    @display(description="by")
    def published_by(self, source):
        return _publisher(source) or NOT_KNOWN
