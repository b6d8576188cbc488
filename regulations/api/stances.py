from typing import ClassVar

from kbase.reading.fields import Url
from kbase.reading.filters import Codes, Dates, Keys, Reference, ResourceFilter
from kbase.reading.resources import Resource
from kbase.reading.serializers import DetailSerializer, ResourceSerializer, many
from regulations.api.citations import CitationSerializer
from regulations.api.refs import JurisdictionRef, PolicyRef, TopicRef
from regulations.models import Jurisdiction, Policy, Source, Stance, Topic
from regulations.models.base import span_covers


class StanceSerializer(ResourceSerializer):
    jurisdiction = JurisdictionRef()
    topic = TopicRef()
    policies = many(PolicyRef(), order=["slug"])
    url = Url("stances", "key")

    class Meta:
        model = Stance
        fields: ClassVar = [
            "key",
            "jurisdiction",
            "topic",
            "stance",
            "valid_from",
            "valid_from_precision",
            "valid_until",
            "valid_until_precision",
            "policies",
            "summary",
            "url",
        ]


class StanceDetailSerializer(DetailSerializer, StanceSerializer):
    citations = many(CitationSerializer())

    class Meta:
        model = Stance
        fields: ClassVar = ["on", "known_at", *StanceSerializer.Meta.fields, "citations"]


class StanceFilter(ResourceFilter):
    key = Keys()
    jurisdiction = Reference(Jurisdiction, key="code")
    topic = Reference(Topic)
    stance = Codes(Stance.Kind)
    policy = Reference(Policy, field_name="policies", nullable=True, help_text="A policy that says so.")
    valid_from = Dates(nullable=True)
    valid_until = Dates(nullable=True)
    source = Reference(Source, field_name="citations", through="source", help_text="A source that it rests on.")

    class Meta:
        model = Stance
        fields: ClassVar = []


class StanceResource(Resource):
    """What jurisdictions say on topics, over spans of days. With `on`, only what holds on that day."""

    collection = "stances"
    key = "key"
    queryset = Stance.objects.all()
    serializer_class = StanceSerializer
    detail_serializer_class = StanceDetailSerializer
    filterset_class = StanceFilter
    order = ("jurisdiction=jurisdiction__code", "topic=topic__slug", "stance", "valid_from", "valid_until")
    default_order = ("jurisdiction", "topic", "valid_from")
    holding_on = staticmethod(span_covers)
