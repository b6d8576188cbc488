from django.contrib import admin
from unfold.decorators import display

from regulations.admin.base import NOT_KNOWN, ONE_OF, PointingHere, RecordAdmin, dated, to_page
from regulations.admin.citations import CitationInline, CitedCards
from regulations.admin.forms import RecordForm
from regulations.models import Appointment, Event, Person

BODIES = ["regulator", "organisation", "company"]


class PersonForm(RecordForm):
    key_name = "slug"


class AppointmentInline(CitedCards):
    model = Appointment
    fields = [
        ("title", "evidence"),
        tuple(BODIES),
        ("valid_from", "valid_from_precision"),
        ("valid_until", "valid_until_precision"),
        "held_on",
    ]
    follows = BODIES


class OfficeHolders(PointingHere):
    """Who holds an office at a body."""

    model = Appointment
    fields = [to_page("person"), "title", dated("valid_from"), dated("valid_until"), dated("held_on"), to_page("self")]
    follows = ["person", *BODIES]
    verbose_name_plural = "people in office"


class SpeaksAt(PointingHere):
    model = Event.speakers.through
    ordering = ["-pk"]
    fk_name = "person"
    fields = [to_page("event", "event")]
    follows = ["event"]
    verbose_name_plural = "speaks at"
    can_begin = False


@admin.register(Person)
class PersonAdmin(RecordAdmin):
    form = PersonForm
    key_name = "slug"
    collection = "people"
    ranked_by = ["name"]
    list_display = ["name", "summary", "slug"]
    search_fields = ["slug", "name"]
    search_help_text = "Name or key"
    inlines = [AppointmentInline, SpeaksAt, CitationInline]
    prepopulated_fields = {"slug": ["name"]}
    readonly_fields = ["in_the_api"]
    fieldsets = [
        (None, {"fields": ["name", "summary"]}),
        ("Address", {"fields": [("slug", "in_the_api")]}),
    ]


@admin.register(Appointment)
class AppointmentAdmin(RecordAdmin):
    list_display = ["person", "title", "body", dated("valid_from", "since"), dated("valid_until", "until")]
    list_filter = [("person", ONE_OF), ("regulator", ONE_OF), ("organisation", ONE_OF), ("company", ONE_OF)]
    search_fields = ["person__slug", "person__name", "title"]
    search_help_text = "Person or office"
    follows = ["person", *BODIES]
    inlines = [CitationInline]
    fieldsets = [
        (None, {"fields": [("person", "title")]}),
        ("Where: exactly one", {"fields": [tuple(BODIES)]}),
        (
            "From when to when",
            {"fields": [("valid_from", "valid_from_precision"), ("valid_until", "valid_until_precision"), "held_on"]},
        ),
    ]

    @display(description="at")
    def body(self, appointment):
        return next((body for name in BODIES if (body := getattr(appointment, name))), NOT_KNOWN)
