from typing import ClassVar

from kbase.reading.fields import Url
from kbase.reading.filters import Codes, Keys, Reference, ResourceFilter, Words
from kbase.reading.groups import Group
from kbase.reading.resources import Resource
from kbase.reading.serializers import DetailSerializer, ResourceSerializer, many
from regulations.api.citations import CitationSerializer
from regulations.api.refs import JurisdictionRef
from regulations.api.stances import StanceFilter
from regulations.models import Jurisdiction, Membership, Source
from regulations.models.base import span_covers


class JurisdictionSerializer(ResourceSerializer):
    parent = JurisdictionRef()
    url = Url("jurisdictions", "code")

    class Meta:
        model = Jurisdiction
        fields: ClassVar = ["code", "name", "official_name", "kind", "parent", "summary", "url"]


class MembershipSerializer(ResourceSerializer):
    member = JurisdictionRef()
    bloc = JurisdictionRef()
    citations = many(CitationSerializer())

    class Meta:
        model = Membership
        fields: ClassVar = ["member", "bloc", "valid_from", "valid_until", "law_applies", "summary", "citations"]


class JurisdictionDetailSerializer(DetailSerializer, JurisdictionSerializer):
    memberships = many(MembershipSerializer())
    members = many(MembershipSerializer())
    citations = many(CitationSerializer())

    class Meta:
        model = Jurisdiction
        fields: ClassVar = [
            "on",
            "known_at",
            *JurisdictionSerializer.Meta.fields,
            "memberships",
            "members",
            "citations",
        ]


class JurisdictionFilter(ResourceFilter):
    code = Keys()
    name = Words()
    kind = Codes(Jurisdiction.Kind)
    parent = Reference(Jurisdiction, key="code", nullable=True)
    member_of = Reference(
        Jurisdiction,
        key="code",
        field_name="memberships",
        through="bloc",
        help_text="The bloc that it belongs or belonged to.",
    )
    stance = Group("stances", StanceFilter, holding_on=span_covers, help_text="What it says on a topic.")
    source = Reference(Source, field_name="citations", through="source", help_text="A source that it rests on.")

    class Meta:
        model = Jurisdiction
        fields: ClassVar = []


class JurisdictionResource(Resource):
    """Places and blocs whose law applies."""

    collection = "jurisdictions"
    key = "code"
    queryset = Jurisdiction.objects.all()
    serializer_class = JurisdictionSerializer
    detail_serializer_class = JurisdictionDetailSerializer
    filterset_class = JurisdictionFilter
    order = ("name", "kind")
    default_order = ("code",)
