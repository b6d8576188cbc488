"""Groups: conditions that one and the same related record meets, and how many related records there are."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

from django.db import models
from django.db.models import Exists, Lookup, OuterRef, Q, QuerySet
from django.db.models.lookups import Exact, GreaterThanOrEqual, LessThanOrEqual

from kbase.reading.expressions import CountOf, Param
from kbase.reading.fields import ON
from kbase.reading.filtering import Filtering, read_filters
from kbase.reading.filters import Declared, ResourceFilter
from kbase.reading.parameters import Parameter
from kbase.reading.problems import BadRequest, Fault, Faults, unknown
from kbase.reading.values import LONGEST_VALUE, read_integer

# More related records than any record has.
MOST_RELATED = 10**9
PAIRS = r"^[a-z_]+:[^,]+(,[a-z_]+:[^,]+)*$"
COUNTS: Mapping[str, tuple[type[Lookup], str]] = {
    "": (Exact, "How many there are."),
    "__gte": (GreaterThanOrEqual, "So many, or more."),
    "__lte": (LessThanOrEqual, "So many, or fewer."),
}


class Group(Declared):
    """Conditions on one related record: `x` (one meets all), `x__not` (none does), `x__count`, `__gte`, `__lte` of it.

    relation: leads from our model to the related records.
    filterset: the filters of these, by whose names the conditions are known.
    holding_on: where they hold over a span of days, the condition that they hold on a day; an explicit `on` then
        keeps only those.
    """

    def __init__(
        self,
        relation: str,
        filterset: type[ResourceFilter],
        *,
        holding_on: Callable[[Any], Q] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.relation, self.filterset, self.holding_on = relation, filterset, holding_on

    def expand(self, name: str) -> dict[str, Parameter]:
        names = ", ".join(dict.fromkeys(condition.split("__")[0] for condition in self.conditions))
        how = f"Write name:value, separate conditions by commas and alternatives by |. Names: {names}, with suffixes."
        return {
            name: Related(self, is_met=True, help_text=f"{self.text} One meets all of these conditions. {how}".strip()),
            f"{name}__not": Related(self, is_met=False, help_text=f"None meets all of these conditions. {how}"),
            **{
                f"{name}__count{suffix}": RelatedCount(self, lookup, help_text=text)
                for suffix, (lookup, text) in COUNTS.items()
            },
        }

    @cached_property
    def conditions(self) -> dict[str, Parameter]:
        """The filters of the related records; not the one by the foreign key to us, nor groups of their own."""
        back = None if self._found.many_to_many else self._back
        names = {
            name
            for name, declared in self.filterset.declared_filters.items()
            if not isinstance(declared, Group) and (declared.field_name or name) != back
        }
        return {name: each for name, each in self.filterset.base_filters.items() if name.split("__")[0] in names}

    def related(self, holding: bool) -> QuerySet:
        """The related records of the row in the outer query."""
        rows = self._found.related_model._base_manager.order_by().filter(**{self._back: OuterRef("pk")})
        return rows.filter(self.holding_on(ON)) if holding and self.holding_on else rows

    def read(self, parameter: str, text: str) -> Filtering:
        """The conditions in the text.

        Raises BadRequest with all that is wrong with them.
        """
        faults, sent = Faults(), {}
        for name, value in _pairs(parameter, text).items():
            with faults.gathering():
                sent[name] = self._value(parameter, name, value)
        filtering = Filtering((), {})
        with faults.gathering():
            filtering = read_filters(self.conditions, sent)
        Faults(replace(fault, parameter=parameter) for fault in faults).refuse()
        return filtering

    def _value(self, parameter: str, name: str, value: str) -> str:
        """The value of a condition as its filter takes it: alternatives separated by commas."""
        if name not in self.conditions:
            raise BadRequest([unknown(parameter, f"condition of {parameter}", name, self.conditions)])
        if not self.conditions[name].is_list:
            return value
        if not all(value.split("|")):
            detail = f"{name} has an empty alternative; separate alternatives by one |."
            raise BadRequest([Fault(parameter, "malformed", detail)])
        return value.replace("|", ",")

    @property
    def _found(self) -> Any:
        return self.model._meta.get_field(self.relation)

    @property
    def _back(self) -> str:
        """The name by which the related records know us."""
        return str(self._found.remote_field.name)


class Related(Parameter):
    """Whether one related record meets all of some conditions, or none does."""

    def __init__(self, group: Group, *, is_met: bool, help_text: str) -> None:
        schema = {"type": "string", "pattern": PAIRS, "maxLength": LONGEST_VALUE}
        super().__init__(read=group.read, condition=None, param=None, schema=schema, help_text=help_text)
        self.group, self.is_met = group, is_met

    def shape_of(self, value: Filtering, is_dated: bool = False) -> Any:
        """Which conditions there are, and whether the related records have to hold on the day."""
        return value.shape, is_dated and self.group.holding_on is not None

    def given(self, name: str, value: Filtering) -> dict[str, Any]:
        """The values of the conditions, named apart from those of our own filters."""
        return {f"{name}:{condition}": given for condition, given in value.values.items()}

    def understood(self, text: str) -> dict[str, Any]:
        """The conditions, each with its value."""
        parts = (part.partition(":") for part in text.split(","))
        return {name: self.group.conditions[name].understood(value.replace("|", ",")) for name, _, value in parts}

    def apply(self, rows: QuerySet, name: str, shape: Any) -> QuerySet:
        conditions, holding = shape
        related = self.group.related(holding)
        met = Exists(Filtering(conditions, {}).apply(self.group.conditions, related, prefix=f"{name}:"))
        return rows.filter(met if self.is_met else ~met)


class RelatedCount(Parameter):
    """How many related records there are."""

    def __init__(self, group: Group, lookup: type[Lookup], *, help_text: str) -> None:
        schema = {"type": "integer", "minimum": 0, "maximum": MOST_RELATED}
        param = models.BigIntegerField()
        super().__init__(read=read_count, condition=None, param=param, schema=schema, help_text=help_text)
        self.group, self.lookup = group, lookup

    def shape_of(self, value: Any, is_dated: bool = False) -> bool:
        """Whether the related records have to hold on the day."""
        return is_dated and self.group.holding_on is not None

    def apply(self, rows: QuerySet, name: str, shape: bool) -> QuerySet:
        count = CountOf(self.group.related(shape).values("pk"))
        return rows.filter(self.lookup(count, Param(name, self.param)))


def read_count(parameter: str, text: str) -> int:
    """A number of related records."""
    return read_integer(parameter, text, 0, MOST_RELATED)


def _pairs(parameter: str, text: str) -> dict[str, str]:
    """The conditions by their names, none of them without a value or named twice."""
    found: dict[str, str] = {}
    for part in text.split(","):
        name, _, value = part.partition(":")
        if not name or not value:
            detail = f"{parameter} has “{part[:100]}”; write each condition as name:value, separated by one comma."
            raise BadRequest([Fault(parameter, "malformed", detail)])
        if name in found:
            detail = f"{parameter} has the condition {name[:100]} twice; separate alternatives by |."
            raise BadRequest([Fault(parameter, "repeated", detail)])
        found[name] = value
    return found
