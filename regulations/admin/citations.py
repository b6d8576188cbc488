"""The evidence, inside every page that can be cited and in a list of its own."""

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Count, OuterRef, Subquery
from django.utils import timezone
from django.utils.html import format_html
from unfold.decorators import display

from regulations.admin.base import (
    BETWEEN,
    KIND,
    ONE_OF,
    Cards,
    PointingHere,
    RecordAdmin,
    Rows,
    change_link,
    reader_name,
)
from regulations.admin.forms import RecordForm
from regulations.models import Citation
from regulations.models.citations import CITABLE

# What the labels of the cited records read, so that a list of citations needs one query.
LABELS = [
    *CITABLE,
    "membership__member",
    "membership__bloc",
    "milestone__policy",
    "provision__policy",
    "policy_relation__policy",
    "policy_relation__target",
    "company_relation__company",
    "company_relation__target",
    "authorisation__company",
    "authorisation__regulator",
    "authorisation__jurisdiction",
    "stance__jurisdiction",
    "stance__topic",
    "appointment__person",
    "appointment__regulator",
    "appointment__organisation",
    "appointment__company",
]


class CitationForm(RecordForm):
    def clean_fields(self):
        """Refuse names that the cited record does not have, where they are new."""
        names = self.cleaned_data["fields"]
        record = self.cited_model()
        if record and "fields" in self.changed_data:
            known = {field.name for field in record._meta.get_fields()} - {"id", "citations", "mentions"}
            if unknown := sorted(set(names) - known):
                raise ValidationError(f"No such field: {', '.join(unknown)}. There are: {', '.join(sorted(known))}.")
        return names

    def cited_model(self):
        arm = next((arm for arm in CITABLE if arm in self.fields and self.chosen(arm)), None)
        return arm and Citation._meta.get_field(arm).remote_field.model

    def chosen(self, arm):
        return hasattr(self.fields[arm], "parent_instance") or self.cleaned_data.get(arm)

    def get_initial_for_field(self, field, field_name):
        # Who adds a citation has mostly just read the source.
        if field_name == "read_on" and not self.instance.pk and field_name not in self.initial:
            return timezone.localdate()
        return super().get_initial_for_field(field, field_name)


class CitationInline(Cards):
    """The evidence of the record whose page this is; the foreign key follows from the page."""

    model = Citation
    form = CitationForm
    fields = [("source", "locator", "read_on"), ("quote", "note"), ("fields", "method", "read_by")]
    readonly_fields = ["method", "read_by"]
    follows = ["source"]
    verbose_name = "citation"
    verbose_name_plural = "evidence"


class Cited:
    """Rows that are cited themselves: their evidence is one step away, on their own page."""

    def get_queryset(self, request):
        queryset = super().get_queryset(request)
        arm = next(name for name in CITABLE if Citation._meta.get_field(name).remote_field.model is self.model)
        citations = Citation.objects.filter(**{arm: OuterRef("pk")}).order_by().values(arm)
        return queryset.annotate(evidence_count=Subquery(citations.annotate(count=Count("*")).values("count")))

    def get_readonly_fields(self, request, obj=None):
        return [*super().get_readonly_fields(request, obj), "evidence"]

    @display(description="evidence")
    def evidence(self, row):
        if not row.pk:
            return "after saving"
        count = getattr(row, "evidence_count", None) or 0
        text = {0: "none yet", 1: "1 source"}.get(count, f"{count} sources")
        return format_html('<span class="whitespace-nowrap">{}</span>', change_link(row, text, "#citations"))


class CitedRows(Cited, Rows):
    pass


class CitedCards(Cited, Cards):
    pass


class CitationsOfSource(PointingHere):
    """Which records rest on a source."""

    model = Citation
    fk_name = "source"
    fields = ["record", "locator", "quote", "read_on", "read_by", "open_page"]
    follows = LABELS
    verbose_name_plural = "cited by"

    @display(description="record")
    def record(self, citation):
        return cited_link(citation)

    @display(description="")
    def open_page(self, citation):
        return change_link(citation, "Open")


def cited_link(citation):
    if not any(getattr(citation, f"{arm}_id") for arm in CITABLE):
        return ""
    record = citation.record
    return format_html("{} · {}", str(record._meta.verbose_name).capitalize(), change_link(record))


@admin.register(Citation)
class CitationAdmin(RecordAdmin):
    form = CitationForm
    list_display = ["source", "record", "locator", "read_on", "method", "read_by"]
    list_filter = [("source", ONE_OF), ("method", KIND), ("read_on", BETWEEN)]
    search_fields = ["source__slug", "source__title", "quote", "note", "locator"]
    search_help_text = "Source, quotation, note or place in the source"
    readonly_fields = ["method"]
    follows = ["source", *LABELS]
    ordering = ["-pk"]
    fieldsets = [
        (None, {"fields": ["source", ("locator", "read_on"), "quote", "fields", "note", ("method", "read_by")]}),
        (
            "The record that rests on it: exactly one",
            {"fields": [tuple(CITABLE[start : start + 3]) for start in range(0, len(CITABLE), 3)]},
        ),
    ]

    @display(description="record")
    def record(self, citation):
        return cited_link(citation)

    def save_model(self, request, obj, form, change):
        if not change and not obj.read_by:
            obj.read_by = reader_name(request.user)
        super().save_model(request, obj, form, change)
