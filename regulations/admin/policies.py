from django.contrib import admin
from django.utils import timezone
from unfold.contrib.filters.admin import DropdownFilter
from unfold.decorators import display

from regulations.admin.base import (
    BETWEEN,
    KIND,
    NOT_KNOWN,
    ONE_OF,
    PointingHere,
    RecordAdmin,
    Rows,
    dated,
    to_page,
)
from regulations.admin.citations import CitationInline, CitedRows
from regulations.admin.forms import RecordForm
from regulations.admin.milestones import MilestoneInline
from regulations.admin.provisions import ProvisionInline
from regulations.models import Policy, PolicyRegulator, PolicyRelation, PolicyStatus, Stance

INTRODUCED = dated("introduced_on", "introduced")
IN_EFFECT = dated("effective_from", "in effect from")
ENDED = dated("effective_until", "in effect until")


class PolicyForm(RecordForm):
    key_name = "slug"

    def key_parts(self):
        return [self.instance.jurisdiction.code, self.instance.abbreviation or self.instance.title]


class RegulatorInline(Rows):
    model = PolicyRegulator
    fields = ["regulator", "role"]
    follows = ["regulator"]
    verbose_name = "regulator"
    verbose_name_plural = "regulators"


class RelationInline(CitedRows):
    model = PolicyRelation
    fk_name = "policy"
    fields = ["kind", "target", "summary", "evidence"]
    follows = ["policy", "target"]
    verbose_name = "relation"
    verbose_name_plural = "acts on"


class RelationsFromOthers(PointingHere):
    model = PolicyRelation
    fk_name = "target"
    fields = [to_page("policy"), "kind", "summary", to_page("self")]
    follows = ["policy", "target"]
    verbose_name_plural = "acted on by"
    verbose_name = "relation"


class StancesOfPolicy(PointingHere):
    model = Stance.policies.through
    ordering = ["-pk"]
    fk_name = "policy"
    fields = [to_page("stance")]
    follows = ["stance__jurisdiction", "stance__topic"]
    verbose_name_plural = "stances that rest on it"
    can_begin = False


class StatusToday(DropdownFilter):
    title = "status today"
    parameter_name = "status"

    def lookups(self, request, model_admin):
        return PolicyStatus.choices

    def queryset(self, request, policies):
        return policies.filter(status=self.value()) if self.value() else policies


@admin.register(Policy)
class PolicyAdmin(RecordAdmin):
    form = PolicyForm
    key_name = "slug"
    collection = "policies"
    ranked_by = ["abbreviation", "title"]
    list_display = ["title", "abbreviation", "jurisdiction_code", "kind", "status_today", INTRODUCED, IN_EFFECT]
    list_filter = [
        ("jurisdiction", ONE_OF),
        ("kind", KIND),
        StatusToday,
        ("regulators", ONE_OF),
        ("topics", ONE_OF),
        ("effective_from", BETWEEN),
    ]
    search_fields = ["slug", "title", "abbreviation", "reference"]
    search_help_text = "Title, abbreviation, official citation or key"
    follows = ["jurisdiction"]
    inlines = [
        MilestoneInline,
        ProvisionInline,
        RegulatorInline,
        RelationInline,
        RelationsFromOthers,
        StancesOfPolicy,
        CitationInline,
    ]
    prepopulated_fields = {"slug": ["title"]}
    readonly_fields = ["status_today", INTRODUCED, IN_EFFECT, ENDED, "in_the_api"]
    fieldsets = [
        ("As of today", {"fields": [("status_today", INTRODUCED, IN_EFFECT, ENDED)]}),
        (
            "The instrument",
            {
                "fields": [
                    "title",
                    ("abbreviation", "kind"),
                    ("jurisdiction", "reference"),
                    "official_url",
                    "topics",
                    "summary",
                ]
            },
        ),
        ("Address", {"fields": [("slug", "in_the_api")]}),
    ]

    def get_queryset(self, request):
        return super().get_queryset(request).with_status(timezone.localdate())

    @display(description="jurisdiction", ordering="jurisdiction__code")
    def jurisdiction_code(self, policy):
        return policy.jurisdiction.code

    @display(
        description="status today",
        label={
            PolicyStatus.IN_FORCE.label: "success",
            PolicyStatus.REPEALED.label: "danger",
            PolicyStatus.WITHDRAWN.label: "danger",
            PolicyStatus.SUPERSEDED.label: "danger",
            PolicyStatus.SUSPENDED.label: "warning",
        },
    )
    def status_today(self, policy):
        return PolicyStatus(policy.status).label if getattr(policy, "status", None) else NOT_KNOWN


@admin.register(PolicyRelation)
class PolicyRelationAdmin(RecordAdmin):
    list_display = ["policy", "kind", "target"]
    list_filter = [("kind", KIND), ("policy", ONE_OF), ("target", ONE_OF)]
    search_fields = [
        "policy__slug",
        "policy__title",
        "policy__abbreviation",
        "target__slug",
        "target__title",
        "target__abbreviation",
    ]
    search_help_text = "Either policy's title, abbreviation or key"
    follows = ["policy", "target"]
    inlines = [CitationInline]
    fieldsets = [(None, {"fields": ["policy", "kind", "target", "summary"]})]
