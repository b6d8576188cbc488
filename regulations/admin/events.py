from django.contrib import admin

from regulations.admin.base import BETWEEN, KIND, ONE_OF, RecordAdmin, Rows, dated
from regulations.admin.citations import CitationInline
from regulations.admin.forms import RecordForm
from regulations.models import Event, EventOrganiser, EventStep


class EventForm(RecordForm):
    key_name = "slug"


class StepInline(Rows):
    model = EventStep
    fields = ["date", "date_precision", "kind", "place"]
    verbose_name = "step"
    verbose_name_plural = "steps"


class OrganiserInline(Rows):
    model = EventOrganiser
    fields = ["regulator", "organisation", "company"]
    follows = ["regulator", "organisation", "company"]
    verbose_name = "organiser"
    verbose_name_plural = "organisers"


@admin.register(Event)
class EventAdmin(RecordAdmin):
    form = EventForm
    key_name = "slug"
    collection = "events"
    ranked_by = ["name"]
    list_display = ["name", "kind", dated("starts_on", "starts"), dated("ends_on", "ends"), "jurisdiction", "place"]
    list_filter = [("kind", KIND), ("jurisdiction", ONE_OF), ("speakers", ONE_OF), ("starts_on", BETWEEN)]
    search_fields = ["slug", "name", "place"]
    search_help_text = "Name, place or key"
    follows = ["jurisdiction"]
    inlines = [StepInline, OrganiserInline, CitationInline]
    prepopulated_fields = {"slug": ["name"]}
    readonly_fields = ["in_the_api"]
    fieldsets = [
        (None, {"fields": [("name", "kind"), "themes", "speakers", "summary"]}),
        ("When and where", {"fields": [("starts_on", "starts_on_precision", "ends_on"), ("jurisdiction", "place")]}),
        ("Prize", {"fields": [("prize_amount", "prize_currency"), "prize_note"]}),
        ("Address", {"fields": [("slug", "in_the_api")]}),
    ]
