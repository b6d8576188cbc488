from typing import ClassVar

from django.db.models import Q

from kbase.reading.fields import Url
from kbase.reading.filters import Codes, Dates, Keys, Reference, ResourceFilter, Words
from kbase.reading.groups import Group
from kbase.reading.related import RelatedCovering
from kbase.reading.resources import Resource
from kbase.reading.serializers import DetailSerializer, ResourceSerializer, many
from regulations.api.authorisations import AuthorisationFilter
from regulations.api.citations import CitationSerializer
from regulations.api.enforcement_actions import EnforcementActionFilter
from regulations.api.people import OfficeHolderSerializer
from regulations.api.refs import CompanyRef, JurisdictionRef, TopicRef
from regulations.models import (
    AuthorisationFacet,
    Company,
    CompanyIdentifier,
    CompanyName,
    CompanyRelation,
    Jurisdiction,
    Regulator,
    Source,
    Topic,
)
from regulations.models.authorisation_facets import permits_q
from regulations.models.base import span_covers


class CompanySerializer(ResourceSerializer):
    headquarters = JurisdictionRef()
    incorporated_in = JurisdictionRef()
    activities = many(TopicRef())
    url = Url("companies", "slug")

    class Meta:
        model = Company
        fields: ClassVar = [
            "slug",
            "name",
            "legal_name",
            "lei",
            "headquarters",
            "incorporated_in",
            "activities",
            "website",
            "founded_on",
            "founded_on_precision",
            "summary",
            "url",
        ]


class CompanyNameSerializer(ResourceSerializer):
    class Meta:
        model = CompanyName
        fields: ClassVar = ["name", "kind", "valid_until"]


class CompanyIdentifierSerializer(ResourceSerializer):
    jurisdiction = JurisdictionRef()

    class Meta:
        model = CompanyIdentifier
        fields: ClassVar = ["scheme", "jurisdiction", "value"]


class CompanyRelationSerializer(ResourceSerializer):
    """Read it as a sentence: `company` is the `kind` of `target`."""

    company = CompanyRef()
    target = CompanyRef()
    citations = many(CitationSerializer())

    class Meta:
        model = CompanyRelation
        fields: ClassVar = [
            "company",
            "kind",
            "target",
            "group",
            "part",
            "valid_from",
            "valid_from_precision",
            "valid_until",
            "summary",
            "citations",
        ]


class CompanyDetailSerializer(DetailSerializer, CompanySerializer):
    names = many(CompanyNameSerializer())
    identifiers = many(CompanyIdentifierSerializer())
    relations = many(
        CompanyRelationSerializer(),
        rows=lambda company: CompanyRelation.objects.filter(Q(company=company) | Q(target=company)),
        along=["relations", "inverse_relations"],
        help_text="What it is to other companies, and they to it.",
    )
    appointments = many(OfficeHolderSerializer())
    citations = many(CitationSerializer())

    class Meta:
        model = Company
        fields: ClassVar = [
            "on",
            "known_at",
            *CompanySerializer.Meta.fields,
            "names",
            "identifiers",
            "relations",
            "appointments",
            "citations",
        ]


class CompanyRelationFilter(ResourceFilter):
    company = Reference(Company)
    kind = Codes(CompanyRelation.Kind)
    target = Reference(Company)
    group = Words(nullable=True)
    valid_from = Dates(nullable=True)
    valid_until = Dates(nullable=True)
    source = Reference(Source, field_name="citations", through="source", help_text="A source that it rests on.")

    class Meta:
        model = CompanyRelation
        fields: ClassVar = []


class CompanyFilter(ResourceFilter):
    slug = Keys()
    name = Words()
    legal_name = Words(nullable=True)
    lei = Keys()
    headquarters = Reference(Jurisdiction, key="code", nullable=True)
    incorporated_in = Reference(Jurisdiction, key="code", nullable=True)
    activity = Reference(Topic, field_name="activities", help_text="What it does.")
    regulator = Reference(
        Regulator,
        field_name="authorisations",
        through="regulator",
        help_text="A regulator that gave it a permission, at any time.",
    )
    authorisation = Group("authorisations", AuthorisationFilter, help_text="One of its permissions.")
    enforcement_action = Group("enforcement_actions", EnforcementActionFilter, help_text="An act against it.")
    relation = Group(
        "relations", CompanyRelationFilter, holding_on=span_covers, help_text="What it is to another company."
    )
    inverse_relation = Group(
        "inverse_relations", CompanyRelationFilter, holding_on=span_covers, help_text="What another company is to it."
    )
    founded_on = Dates(nullable=True)
    source = Reference(Source, field_name="citations", through="source", help_text="A source that it rests on.")

    class Meta:
        model = Company
        fields: ClassVar = []


COVERING = RelatedCovering(
    group="authorisation",
    rows=AuthorisationFacet.objects.all(),
    record="company_id",
    key="slug",
    same=frozenset(["regulator", "jurisdiction", "kind", "status", "applied_on", "granted_on", "ended_on"]),
    instead={"activity": permits_q},
    first=frozenset(["regulator", "jurisdiction"]),
)


class CompanyResource(Resource):
    """Firms, projects and ventures in the market."""

    collection = "companies"
    queryset = Company.objects.all()
    serializer_class = CompanySerializer
    detail_serializer_class = CompanyDetailSerializer
    filterset_class = CompanyFilter
    covering = COVERING
    order = (
        "name",
        "legal_name",
        "founded_on",
        "headquarters=headquarters__code",
        "incorporated_in=incorporated_in__code",
    )
    default_order = ("slug",)
