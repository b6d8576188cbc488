"""One vocabulary of lookups for all filters: a declared filter becomes the parameters that its kind of field has.

| kind      | parameters of a filter `x`                                              |
|-----------|-------------------------------------------------------------------------|
| Keys      | `x` (any of), `x__not` (none of)                                        |
| Codes     | `x` (any of), `x__not` (none of), `x__isnull` where it may be empty     |
| Reference | `x` (any of), `x__not` (none of), `x__isnull`, and `x__all` for many    |
| Dates     | `x`, `x__gt`, `x__gte`, `x__lt`, `x__lte`, `x__isnull` where it may be  |
| Numbers   | the same                                                                |
| Words     | `x` (exactly), `x__contains` (case ignored), `x__isnull` where it may be |
| Flag      | `x` (true or false)                                                     |
| Group     | `x` (one record meets all), `x__not`, `x__count`, `__gte`, `__lte` of it |
"""

from collections.abc import Callable, Mapping
from functools import cached_property, lru_cache
from typing import Any

import django_filters
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Case, Exists, Expression, F, Field, OuterRef, Q, QuerySet, Value, When
from django.db.models.lookups import In

from kbase.reading import kept
from kbase.reading.expressions import ArrayOf, Param
from kbase.reading.facets import Facet, named_records, named_words
from kbase.reading.keys import keys_like
from kbase.reading.parameters import AllOf, Condition, Parameter
from kbase.reading.problems import BadRequest, Fault, unknown
from kbase.reading.statements import Statement, compile_statement
from kbase.reading.values import (
    read_bool,
    read_date,
    read_items,
    read_keys,
    read_number,
    read_text,
)


class Declared(django_filters.Filter):
    """A filter as a resource declares it; `expand` gives the parameters that it becomes."""

    def __init__(self, field_name: str | None = None, *, help_text: str = "", nullable: bool = False) -> None:
        super().__init__(field_name=field_name, help_text=help_text)
        self.nullable, self.text = nullable, help_text

    def expand(self, name: str) -> dict[str, Parameter]:
        """The parameters, by their names."""
        raise NotImplementedError

    def facet(self, name: str) -> Facet | None:
        """How rows are counted by its values; None if they are not."""
        return None

    def _isnull(self, name: str, is_null: Callable[[bool], Q]) -> dict[str, Parameter]:
        if not self.nullable:
            return {}
        text = f"Whether “{name}” is empty."
        return {
            f"{name}__isnull": Parameter(
                read=read_bool, condition=is_null, param=None, schema={"type": "boolean"}, help_text=text
            )
        }


class Keys(Declared):
    """The records' own natural key: several records in one call."""

    def expand(self, name: str) -> dict[str, Parameter]:
        path, strings = self.field_name or name, ArrayField(models.TextField())
        common: dict[str, Any] = {"read": read_keys, "param": strings, "schema": {"type": "string"}, "is_list": True}
        return {
            name: Parameter(
                condition=lambda keys: Q(**{f"{path}__any_of": keys}),
                help_text=f"{self.text} Any of these keys.".strip(),
                **common,
            ),
            f"{name}__not": Parameter(
                condition=lambda keys: ~Q(**{f"{path}__any_of": keys}), help_text="None of these keys.", **common
            ),
        }


class Codes(Declared):
    """A coded value, stored or computed: any of some words, or none of them.

    expression: the value of a computed code.
    shortcuts: for some words the condition that the computed code is that one, where it can be said more simply.
    """

    def __init__(
        self,
        choices: type[models.TextChoices],
        *,
        expression: Expression | None = None,
        shortcuts: Mapping[str, Q] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.choices, self.expression, self.shortcuts = choices, expression, shortcuts or {}

    def expand(self, name: str) -> dict[str, Parameter]:
        common: dict[str, Any] = {
            "read": self._read,
            "param": None,
            "schema": {"type": "string", "enum": list(self.choices.values)},
            "is_list": True,
        }
        path = self.field_name or name
        is_any = self._is_computed if self.expression else (lambda words: Q(**{f"{path}__in": words}))
        return {
            name: Parameter(condition=is_any, help_text=f"{self.text} Any of these words.".strip(), **common),
            f"{name}__not": Parameter(
                condition=lambda words: ~is_any(words), help_text="None of these words.", **common
            ),
            **self._isnull(name, lambda null: Q(**{path: ""}) if null else ~Q(**{path: ""})),
        }

    def facet(self, name: str) -> Facet:
        value = self.expression or F(self.field_name or name)
        return Facet(lambda rows: rows.values_list(value), lambda: named_words(dict(self.choices.choices)))

    def _is_computed(self, words: list[str]) -> Q:
        if len(words) == 1 and words[0] in self.shortcuts:
            return self.shortcuts[words[0]]
        return Q(In(self.expression, words))

    def _read(self, parameter: str, text: str) -> list[str]:
        words = read_items(parameter, text)
        faults = [
            unknown(parameter, f"value of {parameter}", word, self.choices.values)
            for word in words
            if word not in self.choices.values
        ]
        if faults:
            raise BadRequest(faults)
        return words


class Reference(Declared):
    """A related record by its natural key.

    to: the related model; key: its natural key.
    field_name: the relation on our model: a foreign key, or one to many rows.
    through: where the relation leads over rows of its own, the name of their foreign key to the related record.
    """

    def __init__(
        self,
        to: type[models.Model],
        *,
        key: str = "slug",
        through: str | None = None,
        condition: Condition | None = None,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.to, self.key, self.through, self.computed = to, key, through, condition

    def expand(self, name: str) -> dict[str, Parameter]:
        ids = ArrayField(models.BigIntegerField())
        common: dict[str, Any] = {"read": self.read, "param": ids, "schema": {"type": "string"}, "is_list": True}
        is_any = self.computed or self._is_any(name)
        found = {
            name: Parameter(
                condition=is_any,
                links=self._links(name),
                help_text=f"{self.text} Any of these keys.".strip(),
                **common,
            ),
            f"{name}__not": Parameter(condition=lambda keys: ~is_any(keys), help_text="None of these keys.", **common),
        }
        if self.computed:
            return {name: found[name]}
        if self._is_many(name):
            found[f"{name}__all"] = AllOf(condition=is_any, help_text="All of these keys.", **common)
        return found | self._isnull(name, self._is_null(name))

    def facet(self, name: str) -> Facet | None:
        if self.computed:
            return None
        return Facet(self._counted(name), lambda: named_records(self.to, self.key), repeats=self._repeats(name))

    def _counted(self, name: str) -> Callable[[QuerySet], QuerySet]:
        if not self._is_many(name):
            return lambda rows: rows.values_list(f"{self.field_name or name}_id")
        between, ours, theirs = self._rows(name)
        columns = [f"{theirs}_id", f"{ours}_id"] if self._repeats(name) else [f"{theirs}_id"]
        return lambda rows: between.order_by().filter(**{f"{ours}__in": rows.values("pk")}).values_list(*columns)

    def _repeats(self, name: str) -> bool:
        """Whether more than one row may stand between us and a related record."""
        # The rows that Django keeps for a relation by itself are unique for each pair.
        return self._is_many(name) and self.through is not None

    def _links(self, name: str) -> Callable[[ArrayOf], QuerySet] | None:
        """The rows between us and one related record, where Django keeps them, so that each is of another record of ours."""
        if self.computed or not self._relation(name).many_to_many:
            return None
        rows, _, theirs = self._rows(name)
        return (lambda key: rows.filter(**{f"{theirs}__any_of": key})) if rows.model._meta.auto_created else None

    def read(self, parameter: str, text: str) -> list[int]:
        """The ids of the records with these keys.

        Raises BadRequest for keys that no record has.
        """
        keys = read_items(parameter, text)
        ids = dict(kept.rows(self._ids, {"keys": keys}))
        faults = [self._unknown(parameter, key) for key in keys if key not in ids]
        if faults:
            raise BadRequest(faults)
        return [ids[key] for key in keys]

    @cached_property
    def _ids(self) -> Statement:
        """Those of the parameter `keys` that exist, each with its record's id."""
        keys = Param("keys", ArrayField(models.TextField()))
        found = self.to._base_manager.filter(**{f"{self.key}__any_of": keys}).order_by()
        return compile_statement(found.values_list(self.key, "pk"))

    def _unknown(self, parameter: str, key: str) -> Fault:
        possible = keys_like(self.to._base_manager.all(), self.key, key)
        what = str(self.to._meta.verbose_name)
        found = unknown(parameter, what, key, possible)
        exact = next((other for other in possible if other.lower() == key.lower()), None)
        if exact:
            return Fault(parameter, "unknown", f"There is no {what} “{key}”. Did you mean “{exact}”?", (), exact)
        # The keys are too many to list; the collection has them.
        return Fault(parameter, found.code, found.detail, (), found.nearest)

    def _is_any(self, name: str) -> Condition:
        if not self._is_many(name):
            return lambda ids: Q(**{f"{self.field_name or name}__any_of": ids})
        rows, ours, theirs = self._rows(name)
        return lambda ids: Q(Exists(rows.filter(**{ours: OuterRef("pk"), f"{theirs}__any_of": ids})))

    def _is_null(self, name: str) -> Callable[[bool], Q]:
        if not self._is_many(name):
            return lambda null: Q(**{f"{self.field_name or name}__isnull": null})
        rows, ours, _ = self._rows(name)
        present = Q(Exists(rows.filter(**{ours: OuterRef("pk")})))
        return lambda null: ~present if null else present

    def _is_many(self, name: str) -> bool:
        return not (self._relation(name).many_to_one or self._relation(name).one_to_one)

    def _rows(self, name: str) -> tuple[QuerySet, str, str]:
        """The rows between us and the related records, and their foreign keys to us and to them."""
        relation = self._relation(name)
        if relation.many_to_many:
            field = relation.remote_field if relation.auto_created else relation
            between = field.remote_field.through
            ours, theirs = field.m2m_field_name(), field.m2m_reverse_field_name()
            if relation.auto_created:
                ours, theirs = theirs, ours
            return between._base_manager.all(), ours, theirs
        assert self.through, f"{name}: name the foreign key that leads from the rows between to the record"
        return relation.related_model._base_manager.all(), relation.field.name, self.through

    def _relation(self, name: str) -> Any:
        *steps, last = (self.field_name or name).split("__")
        model = self.model
        for step in steps:
            model = model._meta.get_field(step).related_model
        return model._meta.get_field(last)


class Dates(Declared):
    """A day: on it, before or after it."""

    read = staticmethod(read_date)
    schema: Mapping[str, Any] = {"type": "string", "format": "date"}
    param: Field = models.DateField()

    def expand(self, name: str) -> dict[str, Parameter]:
        path = self.field_name or name
        found = {
            f"{name}{suffix}": Parameter(
                read=self.read,
                condition=_comparison(path + suffix),
                param=self.param,
                schema=self.schema,
                help_text=f"{self.text} {text}".strip(),
            )
            for suffix, text in COMPARISONS.items()
        }
        return found | self._isnull(name, lambda null: Q(**{f"{path}__isnull": null}))


class Numbers(Dates):
    """A number: equal to it, below or above it."""

    read = staticmethod(read_number)
    schema = {"type": "number"}
    param = models.DecimalField(max_digits=30, decimal_places=6)


class Words(Declared):
    """Text: exactly this, or with this in it."""

    def expand(self, name: str) -> dict[str, Parameter]:
        path = self.field_name or name
        common: dict[str, Any] = {"read": read_text, "param": models.TextField(), "schema": {"type": "string"}}
        return {
            name: Parameter(condition=_comparison(path), help_text=f"{self.text} Exactly.".strip(), **common),
            f"{name}__contains": Parameter(
                condition=_comparison(f"{path}__icontains"), help_text="Has this in it; case is ignored.", **common
            ),
            **self._isnull(name, lambda null: Q(**{path: ""}) if null else ~Q(**{path: ""})),
        }


class Flag(Declared):
    """True or false."""

    def __init__(self, condition: Callable[[bool], Q], **options: Any) -> None:
        super().__init__(**options)
        self.condition = condition

    def expand(self, name: str) -> dict[str, Parameter]:
        schema = {"type": "boolean"}
        return {
            name: Parameter(read=read_bool, condition=self.condition, param=None, schema=schema, help_text=self.text)
        }

    def facet(self, name: str) -> Facet:
        met = (When(self.condition(flag), then=Value(word)) for flag, word in ((True, "true"), (False, "false")))
        value = Case(*met, output_field=models.TextField())
        return Facet(lambda rows: rows.values_list(value), lambda: named_words({"true": "Yes", "false": "No"}))


COMPARISONS = {
    "": "Equal to this.",
    "__gt": "After or above this.",
    "__gte": "This, or after or above it.",
    "__lt": "Before or below this.",
    "__lte": "This, or before or below it.",
}


def _comparison(lookup: str) -> Condition:
    return lambda value: Q(**{lookup: value})


class ResourceFilter(django_filters.FilterSet):
    """The filters of a resource. Declare them by the classes above; the model is named in `Meta.model`."""

    @classmethod
    def get_filters(cls) -> dict[str, Parameter]:
        """Each declared filter as the parameters that it becomes."""
        model = cls._meta.model
        found: dict[str, Parameter] = {}
        for name, declared in cls.declared_filters.items():
            declared.model = model
            declared.text = declared.text or _help_of(model, declared.field_name or name)
            found |= declared.expand(name)
        return found

    @classmethod
    @lru_cache
    def facets(cls) -> dict[str, Facet]:
        """The filters by whose values rows are counted."""
        found = {name: declared.facet(name) for name, declared in cls.declared_filters.items()}
        return {name: facet for name, facet in found.items() if facet}


def _help_of(model: type[models.Model], name: str) -> str:
    """What the model says of its field; the data dictionary speaks for the filter too."""
    fields = {field.name: field for field in model._meta.get_fields()}
    return str(getattr(fields.get(name), "help_text", ""))
