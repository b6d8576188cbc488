from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django.db.models import Exists, OuterRef
from rest_framework import serializers

from kbase.reading.problems import BadRequest, Fault
from kbase.reading.views import AnswerSerializer, Question, QuestionView, a_day, some_records
from regulations.api.cells import Cells, CellStateSerializer, place_shown, topic_shown
from regulations.api.refs import JurisdictionRef, TopicRef
from regulations.models import Jurisdiction, Stance, Topic

# Each of them is some 400 bytes before compression; so many can still be shown on a screen. Two days count twice.
MOST_CELLS = 8000


class MatrixCellSerializer(CellStateSerializer):
    """What a place says on a topic, and whether it said the same on the day compared with."""

    topic = serializers.CharField(help_text="The topic's key.")
    changed = serializers.BooleanField(
        allow_null=True, help_text="Whether the answer differs from that of the day compared with; null without one."
    )
    compared = CellStateSerializer(
        allow_null=True, help_text="What is said on the day compared with; null without one."
    )


class MatrixRowSerializer(serializers.Serializer):
    """A place with a cell for each topic, in the order of the topics."""

    jurisdiction = JurisdictionRef()
    cells = MatrixCellSerializer(many=True)


class MatrixSerializer(AnswerSerializer):
    """Jurisdictions by topics."""

    compared_with = serializers.DateField(allow_null=True, help_text="The day compared with, if any.")
    changed_count = serializers.IntegerField(
        allow_null=True, help_text="In how many cells the answer differs between the days; null with one day."
    )
    topics = TopicRef(many=True, help_text="The columns.")
    rows = MatrixRowSerializer(many=True, help_text="The rows, by the codes of the places.")


class MatrixView(QuestionView):
    """What jurisdictions say on topics, side by side, on a day or on two.

    Where a place has no stance of its own, or only a proposed one, its cell has that of the law that reaches it, and
    says whose it is. Not established (looked for, not found) and not researched (nobody has looked) are answers of their own.
    """

    name = "matrix"
    parameters: ClassVar = {
        "jurisdiction": some_records(
            Jurisdiction, "Any of these places, by their codes; left out: all that have a stance.", key="code"
        ),
        "topic": some_records(Topic, "Any of these activities and themes; left out: all on which there is a stance."),
        "compared_with": a_day("Another day, to mark where the answer differs from it."),
    }
    answer_class = MatrixSerializer

    def answer(self, question: Question) -> Mapping[str, Any]:
        places, topics = _places(question.values["jurisdiction"]), _topics(question.values["topic"])
        other = question.values["compared_with"]
        _refuse_too_many(len(places) * len(topics) * (2 if other else 1))
        now = Cells(places, topics, question)
        then = Cells(places, topics, question, other) if other else None
        rows = [
            {
                "jurisdiction": place_shown(place, question.root),
                "cells": [_cell(place, each, now, then) for each in topics],
            }
            for place in places
        ]
        return {
            "compared_with": other,
            "changed_count": sum(cell["changed"] for row in rows for cell in row["cells"]) if then else None,
            "topics": [topic_shown(topic, question.root) for topic in topics],
            "rows": rows,
        }


def _cell(place: Jurisdiction, topic: Topic, now: Cells, then: Cells | None) -> dict[str, Any]:
    state, compared = now.state(place, topic), then.state(place, topic) if then else None
    changed = compared["answer"] != state["answer"] if compared else None
    return {"topic": topic.slug, **state, "changed": changed, "compared": compared}


def _places(ids: Sequence[int] | None) -> list[Jurisdiction]:
    places = Jurisdiction.objects.only("code", "name").order_by("code")
    speak = Exists(Stance.objects.filter(jurisdiction=OuterRef("pk")))
    return list(places.filter(speak) if ids is None else places.filter(pk__in=ids))


def _topics(ids: Sequence[int] | None) -> list[Topic]:
    """The topics, activities first."""
    topics = Topic.objects.only("slug", "name").order_by("kind", "slug")
    spoken_of = Exists(Stance.objects.filter(topic=OuterRef("pk")))
    return list(topics.filter(spoken_of) if ids is None else topics.filter(pk__in=ids))


def _refuse_too_many(cells: int) -> None:
    if cells > MOST_CELLS:
        detail = (
            f"The matrix would have {cells} cells, and {MOST_CELLS} is the most; name fewer jurisdictions or topics."
        )
        raise BadRequest([Fault("jurisdiction", "out_of_range", detail)])
