from typing import ClassVar

from kbase.reading.fields import Url
from kbase.reading.filters import Codes, Keys, Reference, ResourceFilter, Words
from kbase.reading.resources import Resource
from kbase.reading.serializers import DetailSerializer, ResourceSerializer, many
from regulations.api.citations import CitationSerializer
from regulations.api.people import OfficeHolderSerializer
from regulations.api.refs import JurisdictionRef
from regulations.models import Jurisdiction, Organisation, Policy, Regulator, Source


class RegulatorSerializer(ResourceSerializer):
    jurisdiction = JurisdictionRef()
    url = Url("regulators", "slug")

    class Meta:
        model = Regulator
        fields: ClassVar = ["slug", "name", "abbreviation", "kind", "jurisdiction", "website", "summary", "url"]


class RegulatorDetailSerializer(DetailSerializer, RegulatorSerializer):
    appointments = many(OfficeHolderSerializer())
    citations = many(CitationSerializer())

    class Meta:
        model = Regulator
        fields: ClassVar = ["on", "known_at", *RegulatorSerializer.Meta.fields, "appointments", "citations"]


class RegulatorFilter(ResourceFilter):
    slug = Keys()
    name = Words()
    abbreviation = Words(nullable=True)
    kind = Codes(Regulator.Kind)
    jurisdiction = Reference(Jurisdiction, key="code")
    policy = Reference(
        Policy, field_name="policy_regulators", through="policy", help_text="A policy that it issues or supervises."
    )
    source = Reference(Source, field_name="citations", through="source", help_text="A source that it rests on.")

    class Meta:
        model = Regulator
        fields: ClassVar = []


class RegulatorResource(Resource):
    """Public bodies that make or enforce policy."""

    collection = "regulators"
    queryset = Regulator.objects.all()
    serializer_class = RegulatorSerializer
    detail_serializer_class = RegulatorDetailSerializer
    filterset_class = RegulatorFilter
    order = ("name", "abbreviation", "kind", "jurisdiction=jurisdiction__code")
    default_order = ("slug",)


class OrganisationSerializer(ResourceSerializer):
    jurisdiction = JurisdictionRef()
    url = Url("organisations", "slug")

    class Meta:
        model = Organisation
        fields: ClassVar = ["slug", "name", "abbreviation", "kind", "jurisdiction", "website", "summary", "url"]


class OrganisationDetailSerializer(DetailSerializer, OrganisationSerializer):
    appointments = many(OfficeHolderSerializer())
    citations = many(CitationSerializer())

    class Meta:
        model = Organisation
        fields: ClassVar = ["on", "known_at", *OrganisationSerializer.Meta.fields, "appointments", "citations"]


class OrganisationFilter(ResourceFilter):
    slug = Keys()
    name = Words()
    kind = Codes(Organisation.Kind)
    jurisdiction = Reference(Jurisdiction, key="code", nullable=True)
    source = Reference(Source, field_name="citations", through="source", help_text="A source that it rests on.")

    class Meta:
        model = Organisation
        fields: ClassVar = []


class OrganisationResource(Resource):
    """Bodies that matter and are neither regulators nor companies: associations, hubs, publishers."""

    collection = "organisations"
    queryset = Organisation.objects.all()
    serializer_class = OrganisationSerializer
    detail_serializer_class = OrganisationDetailSerializer
    filterset_class = OrganisationFilter
    order = ("name", "kind", "jurisdiction=jurisdiction__code")
    default_order = ("slug",)
