from typing import ClassVar

from django.db.models import Q

from kbase.reading.fields import ON, Url
from kbase.reading.filters import Codes, Dates, Flag, Keys, Reference, ResourceFilter
from kbase.reading.resources import Resource
from kbase.reading.serializers import DetailSerializer, ResourceSerializer, many
from regulations.api.citations import CitationSerializer
from regulations.api.refs import PolicyRef
from regulations.models import Jurisdiction, Milestone, Policy, Source

STEP_FIELDS = ["key", "kind", "date", "date_precision", "note"]


class PolicyMilestoneSerializer(ResourceSerializer):
    """A step, as its policy shows it."""

    citations = many(CitationSerializer())
    url = Url("milestones", "key")

    class Meta:
        model = Milestone
        fields: ClassVar = [*STEP_FIELDS, "citations", "url"]


class MilestoneSerializer(ResourceSerializer):
    policy = PolicyRef()
    url = Url("milestones", "key")

    class Meta:
        model = Milestone
        fields: ClassVar = [*STEP_FIELDS, "policy", "url"]


class MilestoneDetailSerializer(DetailSerializer, MilestoneSerializer):
    citations = many(CitationSerializer())

    class Meta:
        model = Milestone
        fields: ClassVar = ["on", "known_at", *MilestoneSerializer.Meta.fields, "citations"]


class MilestoneFilter(ResourceFilter):
    key = Keys()
    policy = Reference(Policy)
    jurisdiction = Reference(Jurisdiction, key="code", field_name="policy__jurisdiction", help_text="Whose law it is.")
    kind = Codes(Milestone.Kind)
    date = Dates()
    is_past = Flag(
        lambda past: Q(date__lte=ON) if past else Q(date__gt=ON),
        help_text="Whether it had happened by the end of the day asked about.",
    )
    source = Reference(Source, field_name="citations", through="source", help_text="A source that it rests on.")

    class Meta:
        model = Milestone
        fields: ClassVar = []


class MilestoneResource(Resource):
    """Dated steps in the lives of policies."""

    collection = "milestones"
    key = "key"
    queryset = Milestone.objects.all()
    serializer_class = MilestoneSerializer
    detail_serializer_class = MilestoneDetailSerializer
    filterset_class = MilestoneFilter
    order = ("date", "kind", "policy=policy__slug")
    default_order = ("-date", "key")
