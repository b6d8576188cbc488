"""The feed of changes: every revision in the order of commits, to be read from any position on."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet

from regulations.models.history import made_by
from regulations.models.revisions import Revision

# No revision has a greater id: bigint ends here.
LAST_ID = 2**63 - 1


@dataclass(frozen=True)
class Position:
    """A place in the feed: after the revision with this id, of the change made at this moment (UTC)."""

    moment: datetime
    revision_id: int = LAST_ID


def revisions_after(position: Position | None, until: datetime | None) -> QuerySet[Revision]:
    """The revisions of committed changes after a position (None: all) and up to a moment (None: all), in their order.

    Whoever has read up to a position has missed nothing before it: moments are given in the order of commits, and a
    change with a later moment is never seen before one with an earlier moment.
    """
    found = Revision.objects.filter(made_by(until, "change__"), change__moment__isnull=False)
    if position:
        later = Q(change__moment__gt=position.moment)
        rest = Q(change__moment=position.moment, pk__gt=position.revision_id)
        # Bounded by the moment alone first, so that the index on it starts at the right place.
        found = found.filter(Q(change__moment__gte=position.moment) & (later | rest))
    return found.select_related("change").order_by("change__moment", "pk")


def position_of(revision: Revision) -> Position:
    """The position after a revision of the feed."""
    assert revision.change.moment, "a revision of the feed belongs to a committed change"
    return Position(revision.change.moment, revision.pk)


def as_number(moment: datetime) -> int:
    """A moment as microseconds since 1970, exactly."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def as_moment(number: int) -> datetime:
    """The moment so many microseconds after 1970."""
    return _EPOCH + timedelta(microseconds=number)


_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
