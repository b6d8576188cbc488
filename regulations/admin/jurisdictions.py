from django.contrib import admin

from regulations.admin.base import KIND, ONE_OF, PointingHere, RecordAdmin, dated, to_page
from regulations.admin.citations import CitationInline, CitedCards
from regulations.models import Jurisdiction, Membership, Regulator, Stance


class MembershipInline(CitedCards):
    model = Membership
    fk_name = "member"
    fields = [("bloc", "law_applies", "evidence"), ("valid_from", "valid_until"), "summary"]
    follows = ["member", "bloc"]
    verbose_name_plural = "belongs to"


class Members(PointingHere):
    model = Membership
    fk_name = "bloc"
    fields = [
        to_page("member"),
        "law_applies",
        dated("valid_from", "since"),
        dated("valid_until", "until"),
        to_page("self"),
    ]
    follows = ["member", "bloc"]
    verbose_name_plural = "members"


class RegulatorsOfJurisdiction(PointingHere):
    model = Regulator
    fk_name = "jurisdiction"
    fields = [to_page("self"), "name", "abbreviation", "kind"]
    verbose_name_plural = "regulators"


class StancesOfJurisdiction(PointingHere):
    model = Stance
    fk_name = "jurisdiction"
    fields = [
        to_page("self"),
        "topic",
        "stance",
        dated("valid_from", "from"),
        dated("valid_until", "until"),
    ]
    follows = ["topic"]
    verbose_name_plural = "stances"


@admin.register(Jurisdiction)
class JurisdictionAdmin(RecordAdmin):
    key_name = "code"
    collection = "jurisdictions"
    ranked_by = ["name"]
    list_display = ["code", "name", "kind", "parent"]
    list_display_links = ["code", "name"]
    list_filter = [("kind", KIND), ("parent", ONE_OF)]
    search_fields = ["^code", "name", "official_name"]
    search_help_text = "Code or name"
    follows = ["parent"]
    inlines = [MembershipInline, Members, RegulatorsOfJurisdiction, StancesOfJurisdiction, CitationInline]
    readonly_fields = ["in_the_api"]
    fieldsets = [
        (None, {"fields": [("name", "kind"), ("official_name", "parent"), "summary"]}),
        ("Address", {"fields": [("code", "in_the_api")]}),
    ]


@admin.register(Membership)
class MembershipAdmin(RecordAdmin):
    list_display = ["member", "bloc", "law_applies", dated("valid_from", "since"), dated("valid_until", "until")]
    list_filter = [("member", ONE_OF), ("bloc", ONE_OF), "law_applies"]
    search_fields = ["^member__code", "member__name", "^bloc__code", "bloc__name"]
    search_help_text = "Code or name of the member or the bloc"
    follows = ["member", "bloc"]
    inlines = [CitationInline]
    fieldsets = [
        (None, {"fields": [("member", "bloc"), "law_applies", ("valid_from", "valid_until"), "summary"]}),
    ]
