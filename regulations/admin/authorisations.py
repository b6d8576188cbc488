from django.contrib import admin
from django.utils import timezone
from unfold.contrib.filters.admin import DropdownFilter
from unfold.decorators import display

from regulations.admin.base import BETWEEN, KIND, NOT_KNOWN, ONE_OF, PointingHere, RecordAdmin, dated, to_page
from regulations.admin.citations import CitationInline
from regulations.admin.forms import RecordForm
from regulations.models import Authorisation, AuthorisationStatus


class AuthorisationForm(RecordForm):
    key_name = "key"

    def key_parts(self):
        issuer = self.instance.regulator.slug if self.instance.regulator else self.instance.jurisdiction.code
        return [self.instance.company.slug, issuer, self.instance.kind]


@display(
    description="status today",
    label={AuthorisationStatus.ACTIVE.label: "success", AuthorisationStatus.ENDED.label: "danger"},
)
def status_today(authorisation):
    status = getattr(authorisation, "status", None)
    return AuthorisationStatus(status).label if status else NOT_KNOWN


class AuthorisationsOf(PointingHere):
    """The permissions that a company holds, or that a regulator gave."""

    model = Authorisation
    fields = ["kind", "reference", status_today, dated("granted_on"), dated("ended_on"), to_page("self")]
    follows = ["company", "regulator", "jurisdiction"]
    verbose_name_plural = "authorisations"

    def get_queryset(self, request):
        return super().get_queryset(request).with_status(timezone.localdate())


class StatusToday(DropdownFilter):
    title = "status today"
    parameter_name = "status"

    def lookups(self, request, model_admin):
        return AuthorisationStatus.choices

    def queryset(self, request, authorisations):
        return authorisations.filter(status=self.value()) if self.value() else authorisations


@admin.register(Authorisation)
class AuthorisationAdmin(RecordAdmin):
    form = AuthorisationForm
    key_name = "key"
    collection = "authorisations"
    offers_only = {"activities": {"kind": "activity"}}
    list_display = [
        "company",
        "kind",
        "issuer",
        "jurisdiction_code",
        status_today,
        dated("granted_on", "granted"),
        dated("ended_on", "ended"),
    ]
    list_filter = [
        ("company", ONE_OF),
        ("regulator", ONE_OF),
        ("jurisdiction", ONE_OF),
        ("kind", KIND),
        StatusToday,
        ("activities", ONE_OF),
        ("granted_on", BETWEEN),
    ]
    search_fields = ["key", "company__slug", "company__name", "reference"]
    search_help_text = "Company, number in the register, or key"
    follows = ["company", "regulator", "policy", "jurisdiction"]
    inlines = [CitationInline]
    readonly_fields = [status_today, "in_the_api"]
    fieldsets = [
        (None, {"fields": [("company", "kind"), ("regulator", "jurisdiction"), ("policy", "reference")]}),
        ("What and where", {"fields": ["activities", "valid_in", "summary"]}),
        (
            "From when to when",
            {
                "fields": [
                    status_today,
                    ("applied_on", "applied_on_precision"),
                    ("granted_on", "granted_on_precision"),
                    ("ended_on", "ended_on_precision"),
                    "end_reason",
                ]
            },
        ),
        ("Address", {"fields": [("key", "in_the_api")]}),
    ]

    def get_queryset(self, request):
        return super().get_queryset(request).with_status(timezone.localdate())

    @display(description="by", ordering="regulator__slug")
    def issuer(self, authorisation):
        regulator = authorisation.regulator
        return (regulator.abbreviation or regulator.name) if regulator else NOT_KNOWN

    @display(description="under the law of", ordering="jurisdiction__code")
    def jurisdiction_code(self, authorisation):
        return authorisation.jurisdiction.code
