from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, ClassVar
from urllib.parse import urlencode

from django.db.models import Count, Max, OuterRef, Q, QuerySet, Subquery, Sum, TextField
from django.db.models.functions import Cast, Coalesce
from rest_framework import serializers

from kbase.reading import kept
from kbase.reading.expressions import Param
from kbase.reading.fields import Number
from kbase.reading.statements import Statement, compile_statement
from kbase.reading.views import AnswerSerializer, Question, QuestionView, some_records
from regulations.api.cells import IDS, Cells, Spoken, place_shown
from regulations.api.refs import JurisdictionRef
from regulations.models import (
    Authorisation,
    Company,
    EnforcementAction,
    EvidenceTally,
    Jurisdiction,
    Milestone,
    Policy,
    Regulator,
    Stance,
    Topic,
)
from regulations.models.record_evidence import COLLECTION_NUMBERS

# For each collection: its records, the path to the place that they belong to, the filter that names it in the list, and
# the name under which they are cited.
COUNTED: dict[str, tuple[Any, str, str, str]] = {
    "regulators": (Regulator, "jurisdiction", "jurisdiction", "regulator"),
    "policies": (Policy, "jurisdiction", "jurisdiction", "policy"),
    "milestones": (Milestone, "policy__jurisdiction", "jurisdiction", "milestone"),
    "stances": (Stance, "jurisdiction", "jurisdiction", "stance"),
    "authorisations": (Authorisation, "jurisdiction", "jurisdiction", "authorisation"),
    "enforcement-actions": (EnforcementAction, "jurisdiction", "jurisdiction", "enforcement_action"),
    "companies": (Company, "headquarters", "headquarters", "company"),
}
_NAMES = {number: name for name, number in COLLECTION_NUMBERS.items()}
NUMBERS = ("count", "cited_count", "last_read_on", "newest_source_on")
STATES = ("established", "established_by_bloc", "not_established", "not_researched")


class TopicsCoveredSerializer(serializers.Serializer):
    """The topics, by whether it is known what the place says on them on the day. Each topic stands in one list."""

    established = serializers.ListField(child=serializers.CharField(), help_text="By a stance of the place's own.")
    established_by_bloc = serializers.ListField(
        child=serializers.CharField(), help_text="By the stance of a law that reaches the place."
    )
    not_established = serializers.ListField(child=serializers.CharField(), help_text="Looked for, and not found.")
    not_researched = serializers.ListField(child=serializers.CharField(), help_text="Nobody has looked.")


class RecordsCoveredSerializer(serializers.Serializer):
    """The records of one collection that belong to the place, and what they rest on."""

    collection = serializers.CharField(help_text="The collection; companies by their headquarters.")
    count = serializers.IntegerField(help_text="How many there are, of any day.")
    cited_count = serializers.IntegerField(help_text="How many of them have a citation.")
    cited_share = Number(
        max_digits=5,
        decimal_places=4,
        allow_null=True,
        help_text="Their share, from 0 to 1; null where there are none.",
    )
    last_read_on = serializers.DateField(
        allow_null=True, help_text="The newest day on which a source of them was read; null if no day is recorded."
    )
    newest_source_on = serializers.DateField(
        allow_null=True, help_text="The newest publication that one of them rests on; null if none bears a day."
    )
    url = serializers.CharField(help_text="The list of them.")


class CoverageRowSerializer(serializers.Serializer):
    """A place: what was researched, and how well it is founded."""

    jurisdiction = JurisdictionRef()
    topics = TopicsCoveredSerializer()
    records = RecordsCoveredSerializer(many=True)


class TopicsCountedSerializer(serializers.Serializer):
    """How many pairs of place and topic stand in each list."""

    established = serializers.IntegerField()
    established_by_bloc = serializers.IntegerField()
    not_established = serializers.IntegerField()
    not_researched = serializers.IntegerField()


class CoverageSerializer(AnswerSerializer):
    """What was researched, and what was not."""

    counts = TopicsCountedSerializer()
    results = CoverageRowSerializer(many=True, help_text="By the codes of the places.")


class CoverageView(QuestionView):
    """What was researched and what was not: how far an absence can be trusted.

    The topics are told as of the day, the records whatever their days. An empty list elsewhere means “none known”; here stands
    whether anybody has looked.
    """

    name = "coverage"
    parameters: ClassVar = {
        "jurisdiction": some_records(Jurisdiction, "Any of these places, by their codes; left out: all.", key="code"),
        "topic": some_records(Topic, "Any of these activities and themes; left out: all."),
    }
    answer_class = CoverageSerializer

    def answer(self, question: Question) -> Mapping[str, Any]:
        places = _chosen(Jurisdiction.objects.order_by("code"), question.values["jurisdiction"])
        topics = _chosen(Topic.objects.order_by("kind", "slug"), question.values["topic"])
        rows = covered(places, topics, Cells(places, topics, question), question)
        counts = {state: sum(len(row["topics"][state]) for row in rows) for state in STATES}
        return {"counts": counts, "results": rows}


def covered(
    places: Sequence[Jurisdiction], topics: Sequence[Topic], cells: Cells, question: Question
) -> list[dict[str, Any]]:
    """The rows of these places, from the cells of all these topics; now they cost one query, as of then one a collection."""
    records = _counted(places, question)
    return [
        {
            "jurisdiction": place_shown(place, question.root),
            "topics": topics_covered(place, topics, cells),
            "records": [_records(name, records.get((place.pk, name)), place, question) for name in COUNTED],
        }
        for place in places
    ]


def topics_covered(place: Jurisdiction, topics: Iterable[Topic], cells: Cells) -> dict[str, list[str]]:
    """The keys of the topics by whether it is known what the place says on them."""
    found: dict[str, list[str]] = {state: [] for state in STATES}
    for topic in topics:
        found[_state(cells.stance(place, topic), place)].append(topic.slug)
    return found


def _state(stance: Spoken | None, place: Jurisdiction) -> str:
    if stance is None:
        return "not_researched"
    if stance.stance == Stance.Kind.NOT_ESTABLISHED:
        return "not_established"
    return "established" if stance.jurisdiction_id == place.pk else "established_by_bloc"


def _chosen(rows: Any, ids: Sequence[int] | None) -> list[Any]:
    return list(rows if ids is None else rows.filter(pk__in=ids))


def _counted(places: Sequence[Jurisdiction], question: Question) -> dict[tuple[int, str], list[Any]]:
    """The numbers of each place (its id) and collection that has records: NUMBERS."""
    told = {"places": [place.pk for place in places]}
    if question.known_at is None:
        rows = [(place, _NAMES[number], *numbers) for place, number, *numbers in kept.rows(_tallied(), told)]
    else:
        rows = [(place, name, *numbers) for name in COUNTED for place, *numbers in kept.rows(_numbers(name), told)]
    return {(place, name): numbers for place, name, *numbers in rows}


@cache
def _tallied() -> Statement:
    """The numbers as they are counted in advance, by place and by the number of the collection."""
    what = EvidenceTally.Counted
    cells = EvidenceTally.objects.filter(jurisdiction_id__any_of=Param("places", IDS))
    sums = cells.filter(counted__in=[what.RECORDS, what.CITED]).order_by().values("jurisdiction_id", "collection")
    count, cited_count = (Coalesce(Sum("number", filter=Q(counted=each)), 0) for each in (what.RECORDS, what.CITED))
    read, published = (Cast(Subquery(_newest(each)), TextField()) for each in (what.READ, what.PUBLISHED))
    numbers = sums.annotate(count=count, cited_count=cited_count, last_read_on=read, newest_source_on=published)
    return compile_statement(numbers.values_list("jurisdiction_id", "collection", *NUMBERS))


def _newest(what: EvidenceTally.Counted) -> QuerySet[EvidenceTally]:
    """The last day of a cell on which something is counted."""
    cell = EvidenceTally.objects.filter(
        jurisdiction_id=OuterRef("jurisdiction_id"), collection=OuterRef("collection"), counted=what
    )
    days = cell.values("day").annotate(held=Sum("number")).filter(held__gt=0)
    return days.order_by("-day").values("day")[:1]


@cache
def _numbers(name: str) -> Statement:
    """The numbers of a collection by place, counted from the records: as of a past moment none are kept."""
    model, path, _, cited = COUNTED[name]
    rows = model._base_manager.filter(**{f"{path}__any_of": Param("places", IDS)}).order_by().values(path)
    # Days as texts, as they are kept.
    days = ("citations__read_on", "citations__source__published_on")
    numbers = rows.annotate(
        count=Count("pk", distinct=True),
        # Of the rows that the citations join, this column is empty where there is none.
        cited_count=Count(f"citations__{cited}", distinct=True),
        last_read_on=Cast(Max(days[0]), TextField()),
        newest_source_on=Cast(Max(days[1]), TextField()),
    )
    return compile_statement(numbers.values_list(path, *NUMBERS))


def _records(name: str, numbers: list[Any] | None, place: Jurisdiction, question: Question) -> dict[str, Any]:
    found = dict(zip(NUMBERS, numbers or (0, 0, None, None), strict=True))
    share = found["cited_count"] / found["count"] if found["count"] else None
    # Without a day: the numbers are of the records of all days.
    moment = {clock: shown for clock, shown in question.days().items() if clock != "on"}
    sent = urlencode({COUNTED[name][2]: place.code, **moment})
    return {
        "collection": name,
        "count": found["count"],
        "cited_count": found["cited_count"],
        "cited_share": round(share, 4) if share is not None else None,
        "last_read_on": found["last_read_on"],
        "newest_source_on": found["newest_source_on"],
        "url": f"{question.root}{name}/?{sent}",
    }
