from django.contrib import admin
from unfold.decorators import display

from regulations.admin.base import BETWEEN, KIND, NOT_KNOWN, ONE_OF, RecordAdmin, Rows, dated
from regulations.admin.citations import CitationInline
from regulations.admin.forms import RecordForm
from regulations.models import EnforcementAction, EnforcementDomain, EnforcementName


class EnforcementActionForm(RecordForm):
    key_name = "slug"


class DomainInline(Rows):
    model = EnforcementDomain
    fields = ["domain", "address"]
    verbose_name = "web domain"


class NameInline(Rows):
    model = EnforcementName
    fields = ["name"]
    verbose_name = "name of another"
    verbose_name_plural = "names of others than our companies"


@admin.register(EnforcementAction)
class EnforcementActionAdmin(RecordAdmin):
    form = EnforcementActionForm
    key_name = "slug"
    collection = "enforcement-actions"
    ranked_by = ["title"]
    list_display = ["title", "kind", "by", "jurisdiction_code", dated("announced_on", "announced"), "penalty"]
    list_filter = [
        ("companies", ONE_OF),
        ("regulator", ONE_OF),
        ("jurisdiction", ONE_OF),
        ("kind", KIND),
        ("policies", ONE_OF),
        ("announced_on", BETWEEN),
    ]
    search_fields = ["slug", "title", "companies__name"]
    search_help_text = "Headline, company or key"
    follows = ["regulator", "jurisdiction"]
    inlines = [DomainInline, NameInline, CitationInline]
    prepopulated_fields = {"slug": ["title"]}
    readonly_fields = ["in_the_api"]
    fieldsets = [
        (None, {"fields": ["title", "kind", ("regulator", "jurisdiction"), "companies", "policies", "summary"]}),
        (
            "When, and how much",
            {
                "fields": [
                    ("announced_on", "announced_on_precision"),
                    ("concluded_on", "concluded_on_precision"),
                    ("penalty_amount", "penalty_currency"),
                ]
            },
        ),
        ("Address", {"fields": [("slug", "in_the_api")]}),
    ]

    @display(description="by", ordering="regulator__slug")
    def by(self, action):
        return action.regulator.abbreviation or action.regulator.name

    @display(description="under the law of", ordering="jurisdiction__code")
    def jurisdiction_code(self, action):
        return action.jurisdiction.code

    @display(description="penalty", ordering="penalty_amount")
    def penalty(self, action):
        return NOT_KNOWN if action.penalty_amount is None else f"{action.penalty_amount:,.0f} {action.penalty_currency}"
