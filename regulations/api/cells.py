"""What a place says on a topic, as one cell: its own stance, that of a law that reaches it, or that nobody has looked."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from django.db.models import OuterRef
from rest_framework import serializers

from kbase.reading.expressions import CountOf
from kbase.reading.fields import Code
from regulations.api.refs import JurisdictionRef
from regulations.models import Citation, Jurisdiction, Stance, Topic
from regulations.models.base import DatePrecision
from regulations.models.reach import Reach, rulings

NOT_RESEARCHED = {"code": "not_researched", "label": "Not researched"}
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


class Cells:
    """The cells of a day: one for each of the places and topics. It costs two queries, however many they are.

    root: the address of the API.
    """

    def __init__(self, places: Iterable[Jurisdiction], topics: Iterable[Topic], on: date, root: str) -> None:
        self.root = root
        stances = Stance.objects.on(on).filter(topic__in=[topic.pk for topic in topics])
        # As of a moment the tables are views, of which PostgreSQL does not know that the id decides the other columns: it
        # refuses to group by it alone, so the count is a query of its own.
        citations = CountOf(Citation.objects.filter(stance=OuterRef("pk")).order_by().values("pk"))
        counted = stances.select_related("jurisdiction").annotate(citation_count=citations).order_by()
        self._deciding = rulings(counted, [place.pk for place in places], Reach.on(on))

    def stance(self, place: Jurisdiction, topic: Topic) -> Stance | None:
        """The stance that decides; None if nobody has looked."""
        return self._deciding.get((place.pk, topic.pk))

    def state(self, place: Jurisdiction, topic: Topic) -> dict[str, Any]:
        """What is said there on the topic, as CellStateSerializer describes it."""
        stance = self.stance(place, topic)
        if stance is None:
            return {"answer": NOT_RESEARCHED, "stance": None}
        answer = {"code": stance.stance, "label": stance.get_stance_display()}
        return {"answer": answer, "stance": self._shown(stance, place)}

    def _shown(self, stance: Stance, place: Jurisdiction) -> dict[str, Any]:
        precision = stance.valid_from_precision
        return {
            "key": stance.key,
            "jurisdiction": place_shown(stance.jurisdiction, self.root),
            "is_own": stance.jurisdiction_id == place.pk,
            "valid_from": stance.valid_from,
            "valid_from_precision": {"code": precision, "label": stance.get_valid_from_precision_display()},
            "valid_until": stance.valid_until,
            "citation_count": stance.citation_count,  # type: ignore[attr-defined]  # annotated
            "url": f"{self.root}stances/{stance.key}/",
        }


def place_shown(place: Jurisdiction, root: str) -> dict[str, str]:
    """The place as a small object, as JurisdictionRef describes it."""
    return {"code": place.code, "name": place.name, "url": f"{root}jurisdictions/{place.code}/"}


def topic_shown(topic: Topic, root: str) -> dict[str, str]:
    """The topic as a small object, as TopicRef describes it."""
    return {"slug": topic.slug, "name": topic.name, "url": f"{root}topics/{topic.slug}/"}
