"""Which of a list's rows a page shows, and the parts in which they are asked for where one index has not all in order."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from django.db.models import Q

from kbase.reading import ordering
from kbase.reading.ordering import Order
from kbase.reading.searching import BY_RELEVANCE, MANY

# Rows without a value in the first column of the order; they come last.
EMPTIES = "empties"
# Of very many rows that are found by words, the most relevant, and all others, which are as far as each other.
RANKED, OTHERS = "ranked", "others"


@dataclass(frozen=True)
class Window:
    """Which rows, in which order, as far as it shapes statements.

    missing: for each column of the order, whether the row to resume after has no value there; None at the start.
    part: only the rows of this part; empty for all.
    """

    order: Order
    size: int
    has_offset: bool
    missing: tuple[bool, ...] | None
    part: str = ""

    @property
    def sorted_by(self) -> Order:
        """What orders the rows of the part."""
        return self.order[1:] if self.part == OTHERS else self.order

    def are_after(self) -> Q:
        """The condition on rows that they come after the one to resume after."""
        first = len(self.order) - len(self.sorted_by)
        return ordering.after(self.sorted_by, (self.missing or ())[first:], first)


def is_in_parts(order: Order, searched: str) -> bool:
    """Whether the ranked come before the others, of so many that they cannot all be sorted. searched: see Sought.shape."""
    return searched == MANY and order[0].path == BY_RELEVANCE.path


def of_walk(order: Order, size: int, searched: str, after: Sequence[str | None] | None) -> Iterator[Window]:
    """The windows of a walk's next page; each is only needed if those before it have too few rows.

    after: the row to resume after, its values in the order; None at the start.
    """
    missing = None if after is None else tuple(value is None for value in after)
    window = Window(order, size, False, missing)
    if is_in_parts(order, searched):
        if after and not _is_ranked(after):
            yield replace(window, part=OTHERS)
            return
        yield replace(window, part=RANKED)
        yield replace(window, part=OTHERS, missing=None)
        return
    yield window
    if missing and ordering.is_followed_by_empties(order, missing):
        yield replace(window, part=EMPTIES, missing=None)


def _is_ranked(row: Sequence[str | None]) -> bool:
    # What is not ranked has no distance; what is, has a relevance above nothing.
    return row[0] != "0"
