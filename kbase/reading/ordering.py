"""Orders of lists: always total, with missing values last, and resumable after any row.

To resume, the rows after a given row are found by comparing columns with its values, not by counting off what was
read before.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db import models
from django.db.models import F, Q, Value
from django.db.models.expressions import OrderBy
from django.db.models.functions import NullIf

from kbase.reading.expressions import Param
from kbase.reading.problems import BadRequest, Fault, unknown
from kbase.reading.values import read_items


@dataclass(frozen=True)
class Column:
    """A column to order by: the name that users know, its path in the ORM, its type, and whether it may be empty.

    has_blanks: an empty text stands where there is none, as answers say by null.
    directions: what may stand before the name.
    """

    name: str
    path: str
    type: models.Field
    is_nullable: bool
    has_blanks: bool = False
    is_descending: bool = False
    directions: tuple[str, ...] = ("", "-")

    @property
    def asked(self) -> str:
        """The word that asks for this order."""
        return f"-{self.name}" if self.is_descending else self.name

    @property
    def direction(self) -> str:
        """The direction in SQL; empty values come last in both."""
        return f"{'DESC' if self.is_descending else 'ASC'} NULLS LAST"

    def order_by(self) -> OrderBy:
        """The ORM's word for it; empty values come last in both directions."""
        value = NullIf(F(self.path), Value("")) if self.has_blanks else F(self.path)
        direction = value.desc if self.is_descending else value.asc
        return direction(nulls_last=True) if self.is_nullable or self.has_blanks else direction()

    def is_empty(self) -> Q:
        """The rows without a value here: the last ones."""
        return Q(**({self.path: ""} if self.has_blanks else {f"{self.path}__isnull": True}))

    def remembered(self, value: Any) -> str | None:
        """The value as a cursor has it; None where there is none."""
        return None if value is None or (self.has_blanks and value == "") else str(value)


Order = tuple[Column, ...]


def columns(model: type[models.Model], paths: Iterable[str]) -> dict[str, Column]:
    """The columns of a model that a list may be ordered by, by the names that users know.

    paths: field names, or `name=path` where the name leads elsewhere, such as `company=company__slug`.
    """
    found = {}
    for item in paths:
        name, _, path = item.partition("=")
        found[name] = _column(model, name, path or name)
    return found


def read_order(text: str | None, allowed: Mapping[str, Column], default: Sequence[str], key: str) -> Order:
    """The order that was asked for, or the default one, completed by the unique column `key` to a total order.

    Raises BadRequest for an unknown column, and one named twice.
    """
    names = list(default) if text is None else read_items("ordering", text)
    possible = [direction + name for name, column in allowed.items() for direction in column.directions]
    faults = [unknown("ordering", "ordering", name, possible) for name in names if name not in possible]
    bare = [name.removeprefix("-") for name in names]
    if len(set(bare)) < len(bare):
        faults.append(Fault("ordering", "contradictory", "ordering names a field twice; name each once."))
    if faults:
        raise BadRequest(faults)
    if key not in bare:
        names.append(key)
    return tuple(replace(allowed[name.removeprefix("-")], is_descending=name.startswith("-")) for name in names)


def after(order: Order, missing: Sequence[bool], first: int = 0) -> Q:
    """The rows that come after a given row, whose values are the items of the parameter `after`; but not yet those
    without a value in the first column, where the given row has one (see `is_followed_by_empties`).

    missing: for each column, whether the given row has no value there; this shapes the condition.
    first: the place in `after` of the first column's value.
    """
    condition: Q | None = None
    for place in reversed(range(len(order))):
        value = Param("after", order[place].type, index=first + place)
        condition = _after_in(order[place], value, missing[place], condition, is_first=place == 0)
    return condition or Q()


def is_followed_by_empties(order: Order, missing: Sequence[bool]) -> bool:
    """Whether rows without a value in the first column may come last.

    They are another question: with an “or” in its condition no index would start at the given row.
    """
    return _has_empties(order[0]) and not missing[0]


def _after_in(column: Column, value: Param, is_missing: bool, rest: Q | None, *, is_first: bool) -> Q:
    if is_missing:
        # Missing values come last: only the next columns can tell what is still to come.
        return column.is_empty() & (rest or Q(pk__in=[]))
    comparison = "lt" if column.is_descending else "gt"
    found = Q(**{f"{column.path}__{comparison}": value})
    if rest:
        # Bounded on the column itself first, so that an index on it starts at the right place.
        found = Q(**{f"{column.path}__{comparison}e": value}) & (found | rest)
    if not is_first and _has_empties(column):
        return found | column.is_empty()
    # An empty text is less than any other, but comes last all the same.
    return found & ~column.is_empty() if column.has_blanks else found


def _has_empties(column: Column) -> bool:
    return column.is_nullable or column.has_blanks


def _column(model: type[models.Model], name: str, path: str) -> Column:
    is_nullable = False
    field: Any = None
    for step in path.split("__"):
        field = (model if field is None else field.related_model)._meta.get_field(step)
        is_nullable |= field.null
    has_blanks = isinstance(field, models.CharField | models.TextField) and field.blank and not field.null
    return Column(name, path, field, is_nullable, has_blanks)
