from typing import ClassVar

from kbase.reading.fields import OneOf, Text, Url
from kbase.reading.filters import Codes, Dates, Keys, Reference, ResourceFilter, Words
from kbase.reading.resources import Resource
from kbase.reading.serializers import DetailSerializer, ResourceSerializer, many
from regulations.api import refs
from regulations.models import (
    Company,
    Event,
    Jurisdiction,
    Organisation,
    Person,
    Policy,
    Regulator,
    Source,
    SourceRelation,
)


class SourceSerializer(ResourceSerializer):
    publisher = OneOf(
        {
            "publisher": refs.OrganisationRef(),
            "publishing_regulator": refs.RegulatorRef(),
            "publishing_company": refs.CompanyRef(),
        },
        types={"publisher": "organisation", "publishing_regulator": "regulator", "publishing_company": "company"},
        help_text="The organisation, regulator or company that published it.",
    )
    original_url = Text(source="url", help_text="The public address of the publication.")
    url = Url("sources", "slug")

    class Meta:
        model = Source
        fields: ClassVar = [
            "slug",
            "title",
            "kind",
            "publisher",
            "category",
            "published_on",
            "stated_at",
            "language",
            "original_url",
            "image_url",
            "image_credit",
            "summary",
            "url",
        ]


class RelatedSourceSerializer(ResourceSerializer):
    class Meta:
        model = SourceRelation
        inline: ClassVar = {"target": refs.SourceRef}
        fields: ClassVar = []


MENTIONED = {
    "jurisdiction": refs.JurisdictionRef,
    "regulator": refs.RegulatorRef,
    "organisation": refs.OrganisationRef,
    "policy": refs.PolicyRef,
    "company": refs.CompanyRef,
    "person": refs.PersonRef,
    "event": refs.EventRef,
    "enforcement_action": refs.EnforcementActionRef,
    "measure": refs.MeasureRef,
}


class SourceDetailSerializer(DetailSerializer, SourceSerializer):
    related = many(RelatedSourceSerializer(), source="related_sources", help_text="More to read, in the page's order.")
    mentions = many(
        OneOf({name: small() for name, small in MENTIONED.items()}),
        help_text="The records that it names, in its order.",
    )

    class Meta:
        model = Source
        fields: ClassVar = ["on", "known_at", *SourceSerializer.Meta.fields, "related", "mentions"]


class SourceFilter(ResourceFilter):
    slug = Keys()
    title = Words()
    kind = Codes(Source.Kind)
    category = Words(nullable=True)
    language = Words()
    publisher = Reference(Organisation, nullable=True, help_text="The organisation that published it.")
    publishing_regulator = Reference(Regulator, nullable=True, help_text="The regulator that published it.")
    publishing_company = Reference(
        Company, nullable=True, help_text="The company that published it, such as the issuer of a white paper."
    )
    published_on = Dates(nullable=True)
    mentions_jurisdiction = Reference(
        Jurisdiction,
        key="code",
        field_name="mentions",
        through="jurisdiction",
        help_text="A jurisdiction that it mentions.",
    )
    mentions_regulator = Reference(
        Regulator, field_name="mentions", through="regulator", help_text="A regulator that it mentions."
    )
    mentions_policy = Reference(Policy, field_name="mentions", through="policy", help_text="A policy that it mentions.")
    mentions_company = Reference(
        Company, field_name="mentions", through="company", help_text="A company that it mentions."
    )
    mentions_person = Reference(Person, field_name="mentions", through="person", help_text="A person that it mentions.")
    mentions_event = Reference(Event, field_name="mentions", through="event", help_text="An event that it mentions.")
    cited_by_policy = Reference(
        Policy, field_name="citations", through="policy", help_text="A policy that rests on it."
    )
    cited_by_company = Reference(
        Company, field_name="citations", through="company", help_text="A company whose record rests on it."
    )

    class Meta:
        model = Source
        fields: ClassVar = []


class SourceResource(Resource):
    """Publications: news, official pages, legal texts, law-firm notes, research, register extracts, white papers."""

    collection = "sources"
    queryset = Source.objects.all()
    serializer_class = SourceSerializer
    detail_serializer_class = SourceDetailSerializer
    filterset_class = SourceFilter
    order = ("title", "kind", "published_on", "language")
    default_order = ("-published_on", "slug")
