"""The parameters that declared filters become: read strictly, then a condition of the statement, its values left open."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import django_filters
from django.db import models
from django.db.models import Field, Q, QuerySet

from kbase.reading.expressions import ArrayOf, Param
from kbase.reading.fields import Number
from kbase.reading.values import KEY, LONGEST_TEXT, PRINTABLE

# The shape of a list with one item, which is planned better by itself than as an array of any length.
ONE = "one"

Condition = Callable[[Any], Q]


class Parameter(django_filters.Filter):
    """One query parameter of a filter.

    read: turns the parameter's text into its value, or raises BadRequest.
    condition: the condition on the rows, given the value or a Param that will hold it; None where `apply` knows it.
    param: how the value is handed to the statement; None if it shapes the statement instead of being handed to it.
    schema: its type in the description, as JSON Schema; `items` of it if a list.
    links: given one value, rows of another table each of which stands for one record that meets it, if there are such.
    """

    def __init__(
        self,
        *,
        read: Callable[[str, str], Any],
        condition: Condition | None,
        param: Field | None,
        schema: Mapping[str, Any],
        is_list: bool = False,
        help_text: str = "",
        method: str | None = None,
        links: Callable[[ArrayOf], QuerySet] | None = None,
    ) -> None:
        super().__init__(method=method, help_text=help_text)
        self.links = links
        self.read, self.condition, self.param = read, condition, param
        self.schema, self.is_list, self.text = dict(schema), is_list, help_text

    def described(self) -> dict[str, Any]:
        """Its type as JSON Schema, with the bounds that all texts and keys have; of an item if it is a list."""
        if self.schema != {"type": "string"}:
            return self.schema
        return self.schema | (
            {"pattern": KEY} if self.is_list else {"minLength": 1, "maxLength": LONGEST_TEXT, "pattern": PRINTABLE}
        )

    def shape_of(self, value: Any, is_dated: bool = False) -> Any:
        """What of the value shapes the statement: all of it, or, of a Param, only whether it is a list of one item.

        is_dated: whether a day is asked about by name.
        """
        if self.param is None:
            return tuple(value) if isinstance(value, list) else value
        return ONE if isinstance(value, list) and len(value) == 1 else None

    def given(self, name: str, value: Any) -> dict[str, Any]:
        """The values that the statement takes, by the names of its Params."""
        return {name: value}

    def understood(self, text: str) -> Any:
        """The value as the answer repeats it: the items of a list apart, numbers and flags as such."""
        if self.is_list:
            return text.split(",")
        kind = self.schema["type"]
        if kind == "boolean":
            return text == "true"
        return Number.of(Decimal(text)) if kind in ("number", "integer") else text

    def values(self, name: str, shape: Any) -> list[Any]:
        """What its conditions are given, each to be met; a value that does not shape the statement is left open."""
        if self.param is None:
            return [list(shape) if isinstance(shape, tuple) else shape]
        if shape == ONE:
            return [ArrayOf(Param(name, self.param.base_field, index=0))]
        return [Param(name, self.param)]

    def apply(self, rows: QuerySet, name: str, shape: Any) -> QuerySet:
        """Keep the rows that meet its conditions. name: of the values that are left open."""
        for value in self.values(name, shape):
            rows = rows.filter(self.condition(value))
        return rows


class AllOf(Parameter):
    """A parameter each of whose items must be met, by related rows that need not be the same."""

    def shape_of(self, value: Any, is_dated: bool = False) -> int:
        """How many items there are: each is a condition of the statement."""
        return len(value)

    def values(self, name: str, shape: int) -> list[Any]:
        """Arrays of one, so that each condition is the one for any of several."""
        return [ArrayOf(Param(name, models.BigIntegerField(), index=index)) for index in range(shape)]
