from typing import ClassVar

from django.db.models import F, Q

from kbase.reading.covering import Covering
from kbase.reading.fields import ON, ComputedCode, Url
from kbase.reading.filters import Codes, Dates, Keys, Reference, ResourceFilter, Words
from kbase.reading.groups import Group
from kbase.reading.resources import Resource
from kbase.reading.serializers import DetailSerializer, ResourceSerializer, many
from kbase.reading.statements import Statement
from kbase.reading.tallies import Dimension, Tallies
from regulations.api.citations import CitationSerializer
from regulations.api.milestones import MilestoneFilter, PolicyMilestoneSerializer
from regulations.api.provisions import TopProvisionSerializer
from regulations.api.refs import JurisdictionRef, PolicyRef, RegulatorRef, TopicRef
from regulations.models import (
    Jurisdiction,
    Policy,
    PolicyRegulator,
    PolicyRelation,
    PolicyStatus,
    Regulator,
    Source,
    Topic,
)
from regulations.models.jurisdictions import law_reaches_q
from regulations.models.policies import in_force_q, status_on
from regulations.models.policy_facets import (
    ANY_TOPIC,
    PolicyFacet,
    facet_has_status_q,
    facet_status_on,
    of_topics_q,
    status_numbers,
    status_word,
)
from regulations.models.policy_tallies import ANY, ANY_KIND, tallies_on


class PolicyRegulatorSerializer(ResourceSerializer):
    class Meta:
        model = PolicyRegulator
        inline: ClassVar = {"regulator": RegulatorRef}
        fields: ClassVar = ["role"]


class PolicySerializer(ResourceSerializer):
    status = ComputedCode(
        PolicyStatus.choices,
        status_on,
        depends_on=["milestones"],
        help_text="What its timeline says of it on the day asked about.",
    )
    jurisdiction = JurisdictionRef()
    regulators = many(PolicyRegulatorSerializer(), source="policy_regulators")
    topics = many(TopicRef())
    url = Url("policies", "slug")

    class Meta:
        model = Policy
        fields: ClassVar = [
            "slug",
            "title",
            "abbreviation",
            "kind",
            "status",
            "jurisdiction",
            "regulators",
            "topics",
            "reference",
            "official_url",
            "introduced_on",
            "effective_from",
            "effective_until",
            "summary",
            "url",
        ]


class PolicyRelationSerializer(ResourceSerializer):
    policy = PolicyRef(source="target", help_text="The policy that this one acts on.")
    citations = many(CitationSerializer())

    class Meta:
        model = PolicyRelation
        fields: ClassVar = ["kind", "policy", "summary", "citations"]


class InversePolicyRelationSerializer(ResourceSerializer):
    policy = PolicyRef(help_text="The policy that acts on this one.")
    citations = many(CitationSerializer())

    class Meta:
        model = PolicyRelation
        fields: ClassVar = ["kind", "policy", "summary", "citations"]


class PolicyDetailSerializer(DetailSerializer, PolicySerializer):
    milestones = many(PolicyMilestoneSerializer())
    provisions = many(TopProvisionSerializer(), where=Q(parent__isnull=True), order=["position"])
    relations = many(PolicyRelationSerializer(), help_text="What this policy does to others.")
    inverse_relations = many(
        InversePolicyRelationSerializer(), order=["kind", "policy__slug"], help_text="What others do to this policy."
    )
    citations = many(CitationSerializer())

    class Meta:
        model = Policy
        fields: ClassVar = [
            "on",
            "known_at",
            *PolicySerializer.Meta.fields,
            "milestones",
            "provisions",
            "relations",
            "inverse_relations",
            "citations",
        ]


class PolicyRegulatorFilter(ResourceFilter):
    regulator = Reference(Regulator)
    role = Codes(PolicyRegulator.Role)

    class Meta:
        model = PolicyRegulator
        fields: ClassVar = []


class PolicyFilter(ResourceFilter):
    slug = Keys()
    title = Words()
    abbreviation = Words(nullable=True)
    kind = Codes(Policy.Kind)
    status = Codes(
        PolicyStatus,
        expression=status_on(ON),
        # In force, the question asked most, is answered from an index.
        shortcuts={PolicyStatus.IN_FORCE: in_force_q(ON)},
        help_text="The status on the day asked about.",
    )
    jurisdiction = Reference(Jurisdiction, key="code", help_text="Whose law it is.")
    applies_in = Reference(
        Jurisdiction,
        key="code",
        condition=lambda ids: law_reaches_q("jurisdiction_id", Q(pk__any_of=ids), ON),
        help_text="Where it reaches on the day asked about: the place's own law, its country's and its blocs'.",
    )
    regulator = Reference(
        Regulator, field_name="policy_regulators", through="regulator", help_text="A body that issues or supervises it."
    )
    regulator_role = Group("policy_regulators", PolicyRegulatorFilter, help_text="A part that a body plays for it.")
    milestone = Group("milestones", MilestoneFilter, help_text="A step in its life.")
    topic = Reference(Topic, field_name="topics", help_text="An activity or theme that it is about.")
    reference = Words(nullable=True)
    introduced_on = Dates(nullable=True, help_text="The date of its first milestone.")
    effective_from = Dates(nullable=True, help_text="When it first took effect.")
    effective_until = Dates(nullable=True, help_text="When it lost its effect for good.")
    source = Reference(Source, field_name="citations", through="source", help_text="A source that it rests on.")

    class Meta:
        model = Policy
        fields: ClassVar = []


TALLIES = Tallies(
    rows=tallies_on(ON),
    counted="grown",
    dimensions={
        "jurisdiction": Dimension("jurisdiction_id", ANY, lambda ids: Q(jurisdiction_id__any_of=ids)),
        "kind": Dimension("kind", ANY_KIND, lambda words: Q(kind__in=words)),
        "topic": Dimension("topic_id", ANY, lambda ids: Q(topic_id__any_of=ids), repeats=True),
        "status": Dimension(
            "status", ANY, lambda words: Q(status__in=status_numbers(words)), value=status_word(F("status"))
        ),
    },
    tells_apart=lambda names: "status" not in names or len(names) <= 2,
)
COVERING = Covering(
    rows=PolicyFacet.objects.all(),
    record="policy_id",
    same=frozenset(["jurisdiction", "kind", "introduced_on"]),
    instead={"status": lambda words: facet_has_status_q(words, ON), "topic": of_topics_q},
    part="topic",
    whole=Q(topic_id=ANY_TOPIC),
    parts=~Q(topic_id=ANY_TOPIC),
    of_part=lambda ids: Q(topic_id__any_of=ids),
    order=frozenset(["introduced_on", "slug"]),
    codes={"status": facet_status_on(ON)},
    counted={
        "status": lambda rows: rows.values_list(facet_status_on(ON)),
        "topic": lambda rows: rows.values_list("topic_id"),
    },
    tallies=TALLIES,
    changed=Statement("SELECT regulations_policies_changed_since()", ()),
)


class PolicyResource(Resource):
    """Public instruments: statutes, regulations, guidelines, roadmaps, consultations, standards, rulings, bills."""

    collection = "policies"
    queryset = Policy.objects.all()
    serializer_class = PolicySerializer
    detail_serializer_class = PolicyDetailSerializer
    filterset_class = PolicyFilter
    covering = COVERING
    order = (
        "title",
        "kind",
        "jurisdiction=jurisdiction__code",
        "introduced_on",
        "effective_from",
        "effective_until",
    )
    default_order = ("-introduced_on", "slug")
