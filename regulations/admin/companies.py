from django.contrib import admin

from regulations.admin.authorisations import AuthorisationsOf
from regulations.admin.base import KIND, ONE_OF, PointingHere, RecordAdmin, Rows, dated, to_page
from regulations.admin.citations import CitationInline, CitedCards
from regulations.admin.forms import RecordForm
from regulations.admin.people import OfficeHolders
from regulations.models import (
    Company,
    CompanyIdentifier,
    CompanyName,
    CompanyRelation,
    EnforcementAction,
    Figure,
    Measure,
)


class CompanyForm(RecordForm):
    key_name = "slug"

    def clean_lei(self):
        # Two companies without a LEI are no two companies with the same one.
        return self.cleaned_data["lei"] or None


class NameInline(Rows):
    model = CompanyName
    fields = ["name", "kind", "valid_until"]
    verbose_name = "other name"
    verbose_name_plural = "other names"


class IdentifierInline(Rows):
    model = CompanyIdentifier
    fields = ["scheme", "jurisdiction", "value"]
    follows = ["jurisdiction"]
    verbose_name = "number in a register"
    verbose_name_plural = "numbers in registers"


class RelationInline(CitedCards):
    model = CompanyRelation
    fk_name = "company"
    fields = [
        ("kind", "target", "evidence"),
        ("valid_from", "valid_from_precision", "valid_until"),
        ("group", "part"),
        "summary",
    ]
    follows = ["company", "target"]
    verbose_name = "relation"
    verbose_name_plural = "is to others"


class RelationsFromOthers(PointingHere):
    model = CompanyRelation
    fk_name = "target"
    fields = [
        to_page("company"),
        "kind",
        dated("valid_from", "since"),
        dated("valid_until", "until"),
        "part",
        to_page("self"),
    ]
    follows = ["company", "target"]
    verbose_name = "relation"
    verbose_name_plural = "others are to it"


class AuthorisationsOfCompany(AuthorisationsOf):
    fk_name = "company"
    fields = [to_page("regulator"), *AuthorisationsOf.fields]


class EnforcementOfCompany(PointingHere):
    model = EnforcementAction.companies.through
    ordering = ["-pk"]
    fk_name = "company"
    fields = [to_page("enforcementaction", "action")]
    follows = ["enforcementaction"]
    verbose_name_plural = "enforcement"
    can_begin = False


class MeasuresOfCompany(PointingHere):
    model = Measure
    fk_name = "company"
    fields = [to_page("self"), "title", dated("effective_from"), dated("effective_until")]
    verbose_name_plural = "measures"


class FiguresOfCompany(PointingHere):
    model = Figure
    fk_name = "company"
    fields = ["metric", "value", "unit", dated("as_of"), to_page("source"), to_page("self")]
    follows = ["source"]
    verbose_name_plural = "figures"


class OfficeHoldersOfCompany(OfficeHolders):
    fk_name = "company"


@admin.register(Company)
class CompanyAdmin(RecordAdmin):
    form = CompanyForm
    key_name = "slug"
    collection = "companies"
    ranked_by = ["name", "lei"]
    offers_only = {"activities": {"kind": "activity"}}
    list_display = ["name", "legal_name", "lei", "headquarters", "incorporated_in", "slug"]
    list_filter = [("headquarters", ONE_OF), ("incorporated_in", ONE_OF), ("activities", ONE_OF)]
    search_fields = ["slug", "name", "legal_name", "^lei", "names__name", "=identifiers__value"]
    search_help_text = "Any name, LEI, number in a register, or key"
    follows = ["headquarters", "incorporated_in"]
    inlines = [
        NameInline,
        IdentifierInline,
        RelationInline,
        RelationsFromOthers,
        AuthorisationsOfCompany,
        EnforcementOfCompany,
        MeasuresOfCompany,
        FiguresOfCompany,
        OfficeHoldersOfCompany,
        CitationInline,
    ]
    prepopulated_fields = {"slug": ["name"]}
    readonly_fields = ["in_the_api"]
    fieldsets = [
        (None, {"fields": ["name", ("legal_name", "lei"), "activities", "summary"]}),
        (
            "Where and since when",
            {"fields": [("headquarters", "incorporated_in"), ("founded_on", "founded_on_precision"), "website"]},
        ),
        ("Address", {"fields": [("slug", "in_the_api")]}),
    ]


@admin.register(CompanyRelation)
class CompanyRelationAdmin(RecordAdmin):
    list_display = ["company", "kind", "target", dated("valid_from", "since"), dated("valid_until", "until"), "group"]
    list_filter = [("kind", KIND), ("company", ONE_OF), ("target", ONE_OF)]
    search_fields = ["company__slug", "company__name", "target__slug", "target__name", "group"]
    search_help_text = "Either company, or the agreement"
    follows = ["company", "target"]
    inlines = [CitationInline]
    fieldsets = [
        (
            None,
            {
                "fields": [
                    ("company", "kind", "target"),
                    ("valid_from", "valid_from_precision", "valid_until"),
                    ("group", "part"),
                    "summary",
                ]
            },
        )
    ]
