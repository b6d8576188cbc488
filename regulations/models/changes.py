"""The feed of changes: every revision in the order of commits, to be read from any position on."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Q, QuerySet

from regulations.models.revisions import Revision

# No revision has a greater id: bigint ends here.
LAST_ID = 2**63 - 1


@dataclass(frozen=True)
class Position:
    """A place in the feed: after the revision with this id, of the change made at this moment (UTC)."""

    moment: datetime
    revision_id: int = LAST_ID


def revisions_after(position: Position) -> QuerySet[Revision]:
    """The revisions of committed changes after a position.

    Whoever has read up to a position has missed nothing before it: moments are given in the order of commits, and a
    change with a later moment is never seen before one with an earlier moment.
    """
    later = Q(change__moment__gt=position.moment)
    rest = Q(change__moment=position.moment, pk__gt=position.revision_id)
    # Bounded by the moment alone first, so that the index on it starts at the right place.
    return Revision.objects.filter(Q(change__moment__gte=position.moment) & (later | rest))


def page_after(
    position: Position | None, until: datetime | None, kinds: Collection[str] | None, size: int
) -> list[Revision]:
    """The first revisions after a position (None: all) and up to a moment (None: all), in their order.

    kinds: of changes of these kinds alone. size: so many at most.
    However many revisions a change has, only those of the page are read: of each change its first, in turn.
    """
    start = position or Position(_EPOCH, 0)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT revision.id FROM regulations_change AS change CROSS JOIN LATERAL (
                SELECT id FROM regulations_revision WHERE change_id = change.id
                AND id > CASE WHEN change.moment = %(moment)s THEN %(revision_id)s ELSE 0 END ORDER BY id LIMIT %(size)s
            ) AS revision
            WHERE change.moment >= %(moment)s AND (%(until)s::timestamptz IS NULL OR change.moment <= %(until)s)
              AND (%(kinds)s::text[] IS NULL OR change.kind = ANY (%(kinds)s))
            ORDER BY change.moment, revision.id LIMIT %(size)s
            """,
            {
                "moment": start.moment,
                "revision_id": start.revision_id,
                "until": until,
                "kinds": None if kinds is None else list(kinds),
                "size": size,
            },
        )
        ids = [row_id for (row_id,) in cursor.fetchall()]
    return list(Revision.objects.filter(pk__in=ids).select_related("change").order_by("change__moment", "pk"))


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
