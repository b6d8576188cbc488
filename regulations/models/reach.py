"""Whose law reaches a place on a day, and which stance decides there."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self, TypeVar

from django.db.models import Q

from regulations.models.base import Day
from regulations.models.jurisdictions import Membership
from regulations.models.stances import Stance


@dataclass(frozen=True)
class Law:
    """A law that applies in a place: whose it is, and by which memberships it reaches it; by none if it is its own."""

    law_of: int
    by: tuple[Membership, ...] = ()


class Reach:
    """Which laws reach which places, as far as these memberships tell; all of them hold, and bring the bloc's law."""

    def __init__(self, memberships: Iterable[Membership]) -> None:
        self._blocs: dict[int, list[Membership]] = defaultdict(list)
        for membership in memberships:
            self._blocs[membership.member_id].append(membership)

    @classmethod
    def on(cls, day: Day, places: Iterable[int] | None = None) -> Self:
        """The reach of laws on the day: into these places (their ids), or into all of them."""
        binding = Membership.objects.filter(law_applies=True).on(day)
        rows = binding.select_related("member", "bloc").order_by("bloc__code", "pk")
        if places is not None:
            asked = list(places)
            countries = binding.filter(member__in=asked).values("bloc")
            rows = rows.filter(Q(member__in=asked) | Q(member__in=countries))
        return cls(rows)

    def laws(self, place: int) -> list[Law]:
        """The laws that reach the place, the nearest first: its own, those of its blocs, and those of their blocs."""
        found = {place: Law(place)}
        direct = self._blocs.get(place, [])
        for membership in direct:
            found.setdefault(membership.bloc_id, Law(membership.bloc_id, (membership,)))
        for membership in direct:
            for further in self._blocs.get(membership.bloc_id, []):
                found.setdefault(further.bloc_id, Law(further.bloc_id, (membership, further)))
        return list(found.values())

    def law(self, law_of: int, place: int) -> Law | None:
        """The law of that jurisdiction, if it reaches the place."""
        return next((law for law in self.laws(place) if law.law_of == law_of), None)


class Speaks(Protocol):
    """What is needed of a stance to see whether it decides."""

    jurisdiction_id: Any
    topic_id: Any
    stance: Any


Spoken = TypeVar("Spoken", bound=Speaks)


def ruling(stances: Mapping[int, Spoken], laws: Sequence[Law]) -> tuple[Spoken, Law] | None:
    """The stance that decides in a place on one topic, and how its law reaches the place; None if none speaks.

    stances: on the topic and the day, by the jurisdiction whose they are. laws: those that reach the place, the nearest first.

    A prohibition decides before all else: the law of a bloc or a federation stands above that of its parts (Costa v
    ENEL, 6/64; Article VI of the Constitution of the United States). Then the nearest law that has settled the matter:
    a member of a bloc says in its own stance how the bloc's law stands there, transition included. What is only
    proposed leaves in force what there was, and what was looked for and not found says nothing.
    """
    found = [(stances[law.law_of], law) for law in laws if law.law_of in stances]
    return min(found, key=lambda each: _precedence(each[0]), default=None)


def rulings(stances: Iterable[Spoken], places: Iterable[int], reach: Reach) -> dict[tuple[int, int], Spoken]:
    """The stance that decides, by place and topic (their ids); where none speaks there is no entry.

    stances: those that hold on the day, on any topics, of any jurisdictions.
    """
    by_topic: dict[int, dict[int, Spoken]] = defaultdict(dict)
    for stance in stances:
        by_topic[stance.topic_id][stance.jurisdiction_id] = stance
    found = {}
    for place in places:
        laws = reach.laws(place)
        for topic, spoken in by_topic.items():
            if decisive := ruling(spoken, laws):
                found[place, topic] = decisive[0]
    return found


def _precedence(stance: Speaks) -> int:
    return _PRECEDENCE.get(stance.stance, 1)


_PRECEDENCE = {
    Stance.Kind.PROHIBITED.value: 0,
    Stance.Kind.PROPOSED.value: 2,
    Stance.Kind.NOT_ESTABLISHED.value: 3,
}
