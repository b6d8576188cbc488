"""What a place says on a topic, as one cell: its own stance, that of a law that reaches it, or that nobody has looked."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

import orjson
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, OuterRef
from rest_framework import serializers

from kbase.reading.expressions import Address, CountOf, JsonChoice, JsonObject, Param
from kbase.reading.fields import CODE_PARTS, ON, ROOT, Code, project
from kbase.reading.statements import Statement, compile_statement
from kbase.reading.views import Question
from regulations.api.refs import JurisdictionRef
from regulations.models import Citation, Jurisdiction, Membership, Stance, Topic
from regulations.models.base import DatePrecision
from regulations.models.reach import Reach, rulings

IDS = ArrayField(models.BigIntegerField())
NOT_RESEARCHED = {"code": "not_researched", "label": "Not researched"}
SAID = {code: {"code": code, "label": label} for code, label in Stance.Kind.choices}
ANSWERS = [*Stance.Kind.choices, tuple(NOT_RESEARCHED.values())]


class CellStanceSerializer(serializers.Serializer):
    """The stance that decides. Its record, at `url`, has the policies and the citations."""

    key = serializers.CharField(help_text="Its key.")
    jurisdiction = JurisdictionRef(help_text="Whose law it is: the place's own, or that of one that reaches it.")
    is_own = serializers.BooleanField(help_text="Whether it is the place's own.")
    valid_from = serializers.DateField(allow_null=True, help_text="The first day; null if not established.")
    valid_from_precision = Code(DatePrecision.choices, help_text="How exactly the first day is known.")
    valid_until = serializers.DateField(allow_null=True, help_text="The first day on which it held no longer.")
    citation_count = serializers.IntegerField(help_text="On how many citations it rests.")
    url = serializers.CharField(help_text="Where the stance stands, with its evidence.")


class CellStateSerializer(serializers.Serializer):
    """What is said on a day."""

    answer = Code(
        ANSWERS, described_as="CellAnswer", help_text="What the law says; not researched where nobody has looked."
    )
    stance = CellStanceSerializer(allow_null=True, help_text="The stance that says so; null if nobody has looked.")


@dataclass(frozen=True)
class Spoken:
    """A stance that holds on the day, as far as a cell shows it: its JSON, cut where it says whether it is the place's own."""

    jurisdiction_id: int
    topic_id: int
    stance: str
    head: bytes
    tail: bytes

    def shown(self, place: Jurisdiction) -> orjson.Fragment:
        """The stance as CellStanceSerializer describes it, in a cell of the place."""
        is_own = b"true" if self.jurisdiction_id == place.pk else b"false"
        return orjson.Fragment(self.head[:-1] + b',"is_own":' + is_own + b"," + self.tail[1:])


class Cells:
    """The cells of a day: one for each of the places and topics. It costs two queries, however many they are.

    on: the day, if it is not the one that is asked about.
    """

    def __init__(
        self, places: Iterable[Jurisdiction], topics: Iterable[Topic], question: Question, on: date | None = None
    ) -> None:
        told = question.told() | {"on": on or question.on}
        ids = [place.pk for place in places]
        self.reach = _reach(told)
        laws = {law.law_of for place in ids for law in self.reach.laws(place)}
        asked = {"laws": list(laws), "topics": [topic.pk for topic in topics]}
        stances = (Spoken(*row) for row in _spoken().rows(told | asked))
        self._deciding = rulings(stances, ids, self.reach)

    def stance(self, place: Jurisdiction, topic: Topic) -> Spoken | None:
        """The stance that decides; None if nobody has looked."""
        return self._deciding.get((place.pk, topic.pk))

    def state(self, place: Jurisdiction, topic: Topic) -> dict[str, Any]:
        """What is said there on the topic, as CellStateSerializer describes it."""
        spoken = self.stance(place, topic)
        if spoken is None:
            return {"answer": NOT_RESEARCHED, "stance": None}
        return {"answer": SAID[spoken.stance], "stance": spoken.shown(place)}


def _reach(told: dict[str, Any]) -> Reach:
    """The reach of laws on the day, by memberships that know their ends alone."""
    return Reach(
        Membership(member_id=member, bloc=Jurisdiction(pk=bloc, code=code))
        for member, bloc, code in _binding().rows(told)
    )


@cache
def _binding() -> Statement:
    """The memberships by which the law of blocs reaches places."""
    rows = Membership.objects.filter(law_applies=True).on(ON).order_by("bloc__code", "pk")
    return compile_statement(rows.values_list("member_id", "bloc_id", "bloc__code"))


@cache
def _spoken() -> Statement:
    """The stances of some laws on some topics that hold on the day, as Spoken takes them."""
    rows = Stance.objects.on(ON).filter(jurisdiction__any_of=Param("laws", IDS), topic__any_of=Param("topics", IDS))
    citations = CountOf(Citation.objects.filter(stance=OuterRef("pk")).order_by().values("pk"))
    head = JsonObject(key=F("key"), jurisdiction=project(JurisdictionRef(), "jurisdiction__"))
    tail = JsonObject(
        valid_from=F("valid_from"),
        valid_from_precision=JsonChoice(F("valid_from_precision"), dict(DatePrecision.choices), CODE_PARTS),
        valid_until=F("valid_until"),
        citation_count=citations,
        url=Address(ROOT, "stances", F("key")),
    )
    return compile_statement(rows.order_by().values_list("jurisdiction_id", "topic_id", "stance", head, tail))


def place_shown(place: Jurisdiction, root: str) -> dict[str, str]:
    """The place as a small object, as JurisdictionRef describes it."""
    return {"code": place.code, "name": place.name, "url": f"{root}jurisdictions/{place.code}/"}


def topic_shown(topic: Topic, root: str) -> dict[str, str]:
    """The topic as a small object, as TopicRef describes it."""
    return {"slug": topic.slug, "name": topic.name, "url": f"{root}topics/{topic.slug}/"}
