from django.contrib import admin

from regulations.admin.authorisations import AuthorisationsOf
from regulations.admin.base import KIND, ONE_OF, PointingHere, RecordAdmin, to_page
from regulations.admin.citations import CitationInline
from regulations.admin.forms import RecordForm
from regulations.admin.people import OfficeHolders
from regulations.models import Organisation, PolicyRegulator, Regulator


class RegulatorForm(RecordForm):
    key_name = "slug"

    def key_parts(self):
        return [self.instance.jurisdiction.code, self.instance.abbreviation or self.instance.name]


class OrganisationForm(RecordForm):
    key_name = "slug"


class PoliciesOfRegulator(PointingHere):
    model = PolicyRegulator
    fk_name = "regulator"
    fields = [to_page("policy"), "role"]
    follows = ["policy"]
    verbose_name_plural = "policies"
    can_begin = False


class OfficeHoldersOfRegulator(OfficeHolders):
    fk_name = "regulator"


class OfficeHoldersOfOrganisation(OfficeHolders):
    fk_name = "organisation"


class AuthorisationsOfRegulator(AuthorisationsOf):
    fk_name = "regulator"
    fields = [to_page("company"), *AuthorisationsOf.fields]


class BodyAdmin(RecordAdmin):
    key_name = "slug"
    ranked_by = ["abbreviation", "name"]
    list_display = ["name", "abbreviation", "kind", "jurisdiction", "slug"]
    list_filter = [("jurisdiction", ONE_OF), ("kind", KIND)]
    search_fields = ["slug", "name", "abbreviation"]
    search_help_text = "Name, abbreviation or key"
    follows = ["jurisdiction"]
    prepopulated_fields = {"slug": ["name"]}
    readonly_fields = ["in_the_api"]
    fieldsets = [
        (None, {"fields": ["name", ("abbreviation", "kind"), ("jurisdiction", "website"), "summary"]}),
        ("Address", {"fields": [("slug", "in_the_api")]}),
    ]


@admin.register(Regulator)
class RegulatorAdmin(BodyAdmin):
    form = RegulatorForm
    collection = "regulators"
    inlines = [PoliciesOfRegulator, AuthorisationsOfRegulator, OfficeHoldersOfRegulator, CitationInline]


@admin.register(Organisation)
class OrganisationAdmin(BodyAdmin):
    form = OrganisationForm
    collection = "organisations"
    inlines = [OfficeHoldersOfOrganisation, CitationInline]
