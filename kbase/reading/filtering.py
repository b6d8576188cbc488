"""The filters of one request: read, checked against each other, and split into their shape and their values."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from kbase.reading.parameters import Parameter
from kbase.reading.problems import Fault, Faults

_SUFFIX = re.compile(r"__(not|all|isnull|contains|gte?|lte?)$")


@dataclass(frozen=True)
class Filtering:
    """The filters of one request: what shapes the statement, and the values that it takes."""

    shape: tuple[tuple[str, Any], ...]
    values: Mapping[str, Any]

    def apply(self, filters: Mapping[str, Parameter], rows: QuerySet, prefix: str = "") -> QuerySet:
        """The rows that meet all of the filters, their values left open as Params. prefix: begins the Params' names."""
        for name, shape in self.shape:
            rows = filters[name].apply(rows, prefix + name, shape)
        return rows

    def without(self, name: str) -> "Filtering":
        """The other filters: none of those that stand on the values of the filter `name`."""
        others = tuple((parameter, shape) for parameter, shape in self.shape if parameter.split("__")[0] != name)
        return Filtering(others, self.values)


def read_filters(filters: Mapping[str, Parameter], sent: Mapping[str, str]) -> Filtering:
    """Read the filters among the parameters that were sent.

    Raises BadRequest with all that is wrong with them: values that cannot be, and conditions that exclude each other.
    """
    values: dict[str, Any] = {}
    faults = Faults()
    for name in sorted(sent.keys() & filters.keys()):
        with faults.gathering():
            values[name] = filters[name].read(name, sent[name])
    faults.extend(_contradictions(values))
    faults.refuse()
    given: dict[str, Any] = {}
    for name, value in values.items():
        given |= filters[name].given(name, value)
    shape = tuple((name, filters[name].shape_of(value, "on" in sent)) for name, value in values.items())
    return Filtering(shape, given)


def _contradictions(values: Mapping[str, Any]) -> Iterable[Fault]:
    for name in dict.fromkeys(_SUFFIX.sub("", name) for name in values):
        of_name = {key.removeprefix(name): value for key, value in values.items() if _SUFFIX.sub("", key) == name}
        if of_name.get("__isnull") and len(of_name) > 1:
            yield Fault(f"{name}__isnull", "contradictory", f"“{name}” cannot be empty and have a value; choose one.")
        if _is_empty_range(of_name):
            detail = f"The bounds of {name} exclude each other; the lower one comes first."
            yield Fault(name, "contradictory", detail)
        yield from _all_refused(name, of_name)
        yield from _group_refused(name, of_name)


def _all_refused(name: str, values: Mapping[str, Any]) -> Iterable[Fault]:
    if not isinstance(values.get("__not"), list):
        return
    refused = set(values["__not"])
    if isinstance(values.get(""), list) and set(values[""]) <= refused:
        yield Fault(f"{name}__not", "contradictory", f"{name}__not excludes all that {name} asks for.")
    if refused & set(values.get("__all", ())):
        yield Fault(f"{name}__not", "contradictory", f"{name}__not excludes some that {name}__all asks for.")


def _group_refused(name: str, values: Mapping[str, Any]) -> Iterable[Fault]:
    asked, refused = values.get(""), values.get("__not")
    are_groups = isinstance(asked, Filtering) and isinstance(refused, Filtering)
    if are_groups and refused.values.items() <= asked.values.items():
        yield Fault(f"{name}__not", "contradictory", f"{name}__not excludes all that {name} asks for.")


def _is_empty_range(values: Mapping[str, Any]) -> bool:
    """Whether nothing can be above all of the lower bounds and below all of the upper ones."""
    if isinstance(values.get(""), Filtering):
        return False
    # Each bound with whether it lies outside of the range itself.
    lowest = [(values[key], key == "__gt") for key in ("", "__gt", "__gte") if key in values]
    highest = [(values[key], key != "__lt") for key in ("", "__lt", "__lte") if key in values]
    if len(lowest) + len(highest) < 2 or not lowest or not highest:
        return False
    (low, is_open), (high, is_closed) = max(lowest), min(highest)
    return low > high or (low == high and (is_open or not is_closed))
