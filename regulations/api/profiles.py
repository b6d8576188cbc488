from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any
from urllib.parse import urlencode

from django.db import models
from django.db.models import ExpressionWrapper, F, Q, Value
from django.http import HttpResponseBase
from rest_framework import serializers

from kbase.reading import kept
from kbase.reading.expressions import ArrayOf, Param
from kbase.reading.fields import ON, Code
from kbase.reading.statements import Statement, compile_statement
from kbase.reading.views import AnswerSerializer, Question, QuestionView, Rendered, part_of_list
from regulations.api.authorisations import AuthorisationResource, AuthorisationSerializer
from regulations.api.bodies import RegulatorResource, RegulatorSerializer
from regulations.api.cells import Cells, CellStateSerializer, topic_shown
from regulations.api.companies import CompanyResource, CompanySerializer
from regulations.api.coverage import RecordsCoveredSerializer, TopicsCoveredSerializer, covered
from regulations.api.enforcement_actions import EnforcementActionResource, EnforcementActionSerializer
from regulations.api.jurisdictions import JurisdictionResource, JurisdictionSerializer, MembershipSerializer
from regulations.api.milestones import MilestoneResource, MilestoneSerializer
from regulations.api.policies import TALLIES, PolicyResource, PolicySerializer
from regulations.api.refs import TopicRef
from regulations.models import EvidenceTally, Jurisdiction, Membership, Milestone, Policy, PolicyStatus, Topic
from regulations.models.base import span_covers

# As many as a page shows before its reader asks for all.
SHOWN = "5"
LAWS = ",".join([Policy.Kind.STATUTE, Policy.Kind.REGULATION, Policy.Kind.TAX_RULE])
COMING = ",".join(
    [
        PolicyStatus.ANNOUNCED,
        PolicyStatus.PROPOSED,
        PolicyStatus.IN_CONSULTATION,
        PolicyStatus.CONSULTATION_CLOSED,
        PolicyStatus.ADOPTED,
    ]
)

_place = Param("place", models.BigIntegerField())
_jurisdiction = Rendered(JurisdictionSerializer, lambda: Jurisdiction.objects.filter(pk=_place).order_by())
_memberships = Rendered(
    MembershipSerializer,
    lambda: Membership.objects.filter(span_covers(ON), Q(member=_place)).order_by("bloc__code"),
)


class PartSerializer(serializers.Serializer):
    """The beginning of a list: how many records there are, and where all of them are."""

    count = serializers.IntegerField(help_text="How many there are, exactly.")
    url = serializers.CharField(help_text="The list of all.")


class RegulatorsPartSerializer(PartSerializer):
    results = RegulatorSerializer(many=True, help_text="The first of them.")


class PoliciesPartSerializer(PartSerializer):
    results = PolicySerializer(many=True, help_text="The newest of them.")


class CompaniesPartSerializer(PartSerializer):
    results = CompanySerializer(many=True, help_text="The first of them.")


class AuthorisationsPartSerializer(PartSerializer):
    results = AuthorisationSerializer(many=True, help_text="The newest of them.")


class EnforcementActionsPartSerializer(PartSerializer):
    results = EnforcementActionSerializer(many=True, help_text="The newest of them.")


class StepsPartSerializer(PartSerializer):
    results = MilestoneSerializer(many=True, help_text="Those nearest to the day.")


class StatusCountSerializer(PartSerializer):
    status = Code(PolicyStatus.choices, described_as="PolicyStatus", help_text="What the timeline says on the day.")


class ProfilePoliciesSerializer(PartSerializer):
    """The place's own policies, by their status on the day; those of the blocs whose law reaches it are told apart."""

    by_status = StatusCountSerializer(many=True, help_text="How many have each status; each policy has one.")
    in_force = PoliciesPartSerializer()
    coming = PoliciesPartSerializer(
        help_text="Announced, proposed, in or after consultation, or adopted; not in force."
    )
    of_blocs_in_force = PoliciesPartSerializer(help_text="Not its own, but law there, and in force.")


class ProfileStanceSerializer(CellStateSerializer):
    """What is said on one topic."""

    topic = TopicRef()


class StancesPartSerializer(serializers.Serializer):
    """What is said there, by its own law or by one that reaches it. Topics that nobody has looked into are among the gaps."""

    count = serializers.IntegerField(help_text="On how many topics something is known.")
    url = serializers.CharField(help_text="The place's row of the matrix, with all topics.")
    results = ProfileStanceSerializer(many=True, help_text="All of them, activities first.")


class ProfileGapsSerializer(serializers.Serializer):
    """What we do not know."""

    topics = TopicsCoveredSerializer(help_text="What was researched; see /coverage/.")
    laws_without_start = PoliciesPartSerializer(help_text="Of which no step of effect is known.")
    authorisations_without_start = AuthorisationsPartSerializer(help_text="Known to exist, but not since when.")
    uncited = RecordsCoveredSerializer(many=True, help_text="Collections of which a record has no citation.")


class ProfileSerializer(AnswerSerializer):
    """A country page in one call."""

    jurisdiction = JurisdictionSerializer()
    memberships = MembershipSerializer(
        many=True, help_text="The blocs that it belongs to on the day, and whether their law applies there."
    )
    regulators = RegulatorsPartSerializer()
    stances = StancesPartSerializer()
    policies = ProfilePoliciesSerializer()
    authorised_companies = CompaniesPartSerializer(help_text="Who holds a permission under its law on the day.")
    authorisations = AuthorisationsPartSerializer(help_text="The permissions held under its law on the day.")
    enforcement_actions = EnforcementActionsPartSerializer()
    recent_steps = StepsPartSerializer(help_text="The latest steps of its policies and of those of its blocs.")
    coming_steps = StepsPartSerializer(help_text="The next steps of its policies and of those of its blocs.")
    gaps = ProfileGapsSerializer()
    records = RecordsCoveredSerializer(many=True, help_text="How many records there are, and what they rest on.")


class ProfileView(QuestionView):
    """A place in one call: who regulates it, what it says, what is in force and what is coming, and what we do not know.

    Each section says exactly how many records it has, shows the first few and where all of them are.
    """

    name = "profile"
    answer_class = ProfileSerializer
    leads_on = True

    def answer(self, question: Question) -> Mapping[str, Any] | HttpResponseBase:
        place = _asked_place(question.path["key"])
        if place is None:
            return JurisdictionResource.moved(self.request, question.path["key"])
        code, told = place.code, {"place": place.pk}
        topics = list(Topic.objects.order_by("kind", "slug"))
        cells = Cells([place], topics, question)
        blocs = [law.by[-1].bloc for law in cells.reach.laws(place.pk) if law.by]
        [row] = covered([place], topics, cells, question)
        return {
            "jurisdiction": _jurisdiction.of(question, **told)[0],
            "memberships": _memberships.of(question, **told),
            "regulators": _part(RegulatorResource, question, jurisdiction=code),
            "stances": _stances(place, topics, cells, question),
            "policies": _policies(place, blocs, question),
            "authorised_companies": _part(
                CompanyResource, question, authorisation=f"jurisdiction:{code},status:active"
            ),
            "authorisations": _part(AuthorisationResource, question, jurisdiction=code, status="active"),
            "enforcement_actions": _part(EnforcementActionResource, question, jurisdiction=code),
            **_steps(place, blocs, question),
            "gaps": _gaps(code, row, question),
            "records": row["records"],
        }


def _asked_place(key: str) -> Jurisdiction | None:
    # PostgreSQL has no NUL in its texts, so no key has one either.
    return None if "\x00" in key else Jurisdiction.objects.filter(code=key).first()


def _part(resource: Any, question: Question, **parameters: Any) -> dict[str, Any]:
    return part_of_list(resource, question, **parameters, page_size=SHOWN)


def _stances(place: Jurisdiction, topics: Sequence[Topic], cells: Cells, question: Question) -> dict[str, Any]:
    found = [
        {"topic": topic_shown(topic, question.root), **cells.state(place, topic)}
        for topic in topics
        if cells.stance(place, topic)
    ]
    url = f"{question.root}matrix/?{urlencode({**question.days(), 'jurisdiction': place.code})}"
    return {"count": len(found), "url": url, "results": found}


def _policies(place: Jurisdiction, blocs: Sequence[Jurisdiction], question: Question) -> dict[str, Any]:
    counted = _counted(_by_status(question.known_at is not None), place, question)
    counts = {status: count for status, _, count in counted}
    sent = {**question.days(), "jurisdiction": place.code}
    return {
        "count": sum(counts.values()),
        "url": _list_url(question, sent),
        "by_status": [
            {
                "count": count,
                "url": _list_url(question, {**sent, "status": status}),
                "status": {"code": status, "label": label},
            }
            for status, label, count in counted
        ],
        "in_force": _part(
            PolicyResource, question, count=counts.get("in_force", 0), jurisdiction=place.code, status="in_force"
        ),
        "coming": _part(
            PolicyResource,
            question,
            count=sum(counts.get(status, 0) for status in COMING.split(",")),
            jurisdiction=place.code,
            status=COMING,
        ),
        "of_blocs_in_force": _of_blocs_in_force(place, blocs, question),
    }


def _of_blocs_in_force(place: Jurisdiction, blocs: Sequence[Jurisdiction], question: Question) -> dict[str, Any]:
    """The law of the blocs, counted bloc by bloc, as their other members' pages do."""
    statuses = (
        dict(row[::2] for row in _counted(_by_status(question.known_at is not None), bloc, question)) for bloc in blocs
    )
    return _part(
        PolicyResource,
        question,
        count=sum(counts.get("in_force", 0) for counts in statuses),
        said_as={"applies_in": place.code, "jurisdiction__not": place.code, "status": "in_force"},
        jurisdiction=_codes(blocs or [place]),
        status="in_force",
    )


def _list_url(question: Question, sent: Mapping[str, str]) -> str:
    return f"{question.root}policies/?{urlencode(sent)}"


def _codes(places: Iterable[Jurisdiction]) -> str:
    return ",".join(place.code for place in places)


def _counted(statement: Statement, place: Jurisdiction, question: Question) -> list[Any]:
    """What is counted of the place; kept until one of the tables is changed, as there is no end to what is counted."""
    return kept.rows(statement, question.told(place=place.pk))


@cache
def _by_status(as_known: bool) -> Statement:
    """How many policies of the place have each status on the day; the most frequent first."""
    facet = PolicyResource.filterset_class.facets()["status"]
    if not as_known:
        return facet.shown(TALLIES.tallied([("jurisdiction", ArrayOf(_place))], "status"))
    return facet.statement(Policy.objects.filter(jurisdiction=_place).order_by())


@cache
def _steps_counted(as_known: bool) -> Statement:
    """How many steps of the place's policies there were by the day, and how many come after it."""
    if as_known:
        dated = Milestone.objects.filter(policy__jurisdiction=_place).annotate(day=F("date"), number=Value(1))
    else:
        dated = EvidenceTally.objects.filter(jurisdiction_id=_place, counted=EvidenceTally.Counted.STEPS)
    is_past = ExpressionWrapper(Q(day__lte=ON), models.BooleanField())
    steps = compile_statement(dated.order_by().values_list(is_past, "number"))
    sums = (f"coalesce(sum(number) FILTER (WHERE {each}), 0)::bigint" for each in ("is_past", "NOT is_past"))
    return Statement(f"SELECT {', '.join(sums)} FROM ({steps.sql}) AS steps (is_past, number)", steps.params)  # noqa: S608 (compiled by the ORM)


def _steps(place: Jurisdiction, blocs: Sequence[Jurisdiction], question: Question) -> dict[str, Any]:
    laws = [place, *blocs]
    counts = [_counted(_steps_counted(question.known_at is not None), law, question)[0] for law in laws]
    past, coming = (sum(counted) for counted in zip(*counts, strict=True))
    asked = {"jurisdiction": _codes(laws)}
    return {
        "recent_steps": _part(MilestoneResource, question, count=past, **asked, is_past="true", ordering="-date"),
        "coming_steps": _part(MilestoneResource, question, count=coming, **asked, is_past="false", ordering="date"),
    }


def _gaps(code: str, row: Mapping[str, Any], question: Question) -> dict[str, Any]:
    return {
        "topics": row["topics"],
        "laws_without_start": _part(
            PolicyResource, question, jurisdiction=code, kind=LAWS, effective_from__isnull="true"
        ),
        "authorisations_without_start": _part(
            AuthorisationResource, question, jurisdiction=code, status="not_established"
        ),
        "uncited": [each for each in row["records"] if each["cited_count"] < each["count"]],
    }
