"""Serializer fields that can be rendered twice, to the same effect: by Python from an instance, by PostgreSQL in a query.

Each field says with `project(path)` which SQL expression renders it. `path` leads from the query's rows to the
instance that the field belongs to: empty, or relation names that each end with two underscores.
Three values come with every rendering, in a serializer's context or as parameters of the statement:
`on`, the day that is asked about, `known_at`, the moment (as text), and `root`, the address of the API.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date
from decimal import Decimal
from typing import Any

from django.db import models
from django.db.models import Case, F, Func, Q, QuerySet, Value, When
from django.db.models.expressions import Combinable, Expression, OuterRef
from django.db.models.functions import NullIf
from rest_framework import serializers

from kbase.reading.expressions import Address, Json, JsonArray, JsonChoice, JsonObject, Param

ON = Param("on", models.DateField())
KNOWN_AT = Param("known_at", models.TextField())
ROOT = Param("root", models.TextField())


class NotProjectableError(TypeError):
    """A field that PostgreSQL cannot render; said at start-up, so that no answer is slow in silence."""


def orm_path(field: serializers.Field, path: str) -> str:
    """The field's source in the words of the ORM."""
    return path + field.source.replace(".", "__")


def instance_path(field: serializers.Field, path: str) -> str:
    """The path to the instance that a field shows as a whole: the serializer's own, or where its source leads."""
    return path if field.source == "*" else f"{orm_path(field, path)}__"


class Text(serializers.CharField):
    """Text; null where there is none."""

    def to_representation(self, value: Any) -> str | None:
        return super().to_representation(value) or None

    def project(self, path: str) -> Combinable:
        return NullIf(F(orm_path(self, path)), Value(""))


class Number(serializers.DecimalField):
    """A decimal as a JSON number, without trailing zeros."""

    def to_representation(self, value: Decimal) -> int | float:
        return self.of(value)

    @staticmethod
    def of(value: Decimal) -> int | float:
        """The number that JSON has for a decimal."""
        return int(value) if value == value.to_integral_value() else float(value)

    def project(self, path: str) -> Combinable:
        return Func(F(orm_path(self, path)), function="trim_scale", output_field=models.DecimalField())


class Moment(serializers.DateTimeField):
    """A moment in UTC, with its microseconds if it has any."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"default_timezone": UTC, **options})

    def project(self, path: str) -> Combinable:
        return Func(
            F(orm_path(self, path)),
            template="(SELECT to_char(said, 'YYYY-MM-DD\"T\"HH24:MI:SS' || CASE WHEN said = date_trunc('second', said)"
            " THEN '\"Z\"' ELSE '.US\"Z\"' END) FROM (SELECT %(expressions)s AT TIME ZONE 'UTC') AS moment (said))",
            output_field=models.TextField(),
        )


CODE_PARTS = ("code", "label")


class Code(serializers.ChoiceField):
    """A coded value with its label: `{"code": "statute", "label": "Statute"}`; null where there is none.

    parts: which of the two to show.
    described_as: its name in the description, where the same words stand in several places; else that of its place.
    """

    def __init__(
        self, choices: Any, parts: tuple[str, ...] = CODE_PARTS, described_as: str = "", **options: Any
    ) -> None:
        self.parts, self.described_as = parts, described_as
        super().__init__(choices, **options)

    def to_representation(self, value: Any) -> dict[str, str] | None:
        if not value or value not in self.choices:
            return None
        whole = {"code": str(value), "label": self.choices[value]}
        return {part: whole[part] for part in self.parts}

    def words(self) -> dict[str, str]:
        """The codes with their labels."""
        return {code: label for code, label in self.choices.items() if code}

    def project(self, path: str) -> Combinable:
        return self.of(F(orm_path(self, path)))

    def of(self, code: Combinable) -> JsonChoice:
        """The SQL expression that renders this code."""
        return JsonChoice(code, self.words(), self.parts)


class ComputedCode(Code):
    """A coded value that no column holds: an expression of the day asked about and of the path to the instance.

    depends_on: the relations whose rows it looks at, beside the instance's own row.
    """

    def __init__(
        self,
        choices: Any,
        expression: Callable[[Any, str], Expression],
        depends_on: Iterable[str] = (),
        **options: Any,
    ) -> None:
        self.expression, self.depends_on = expression, tuple(depends_on)
        super().__init__(choices, **{"read_only": True, **options})

    def get_attribute(self, instance: models.Model) -> str:
        # Only tests render this way; the answers of the API come from `project`.
        rows = type(instance)._base_manager.filter(pk=instance.pk)
        return rows.values_list(self.expression(self.context["on"], ""), flat=True).get()

    def project(self, path: str) -> Combinable:
        return self.of(self.expression(ON, path))


class Url(serializers.Field):
    """The address of the record in the API."""

    def __init__(self, collection: str, key: str, **options: Any) -> None:
        self.collection, self.key = collection, key
        super().__init__(**{"source": "*", "read_only": True, **options})

    def to_representation(self, instance: models.Model) -> str:
        return f"{self.context['root']}{self.collection}/{getattr(instance, self.key)}/"

    def project(self, path: str) -> Combinable:
        return Address(ROOT, self.collection, F(f"{instance_path(self, path)}{self.key}"))


class On(serializers.DateField):
    """The day that the answer speaks of."""

    def __init__(self, **options: Any) -> None:
        super().__init__(source="*", read_only=True, **options)

    def to_representation(self, value: Any) -> str:
        on: date = self.context["on"]
        return on.isoformat()

    def project(self, path: str) -> Combinable:
        return ON


class KnownAt(serializers.DateTimeField):
    """The moment in our records that the answer speaks of; null for what we say now."""

    def __init__(self, **options: Any) -> None:
        super().__init__(source="*", read_only=True, allow_null=True, **options)

    def to_representation(self, value: Any) -> str | None:
        moment: str | None = self.context["known_at"]
        return moment

    def project(self, path: str) -> Combinable:
        return KNOWN_AT


class RelatedList(serializers.ListSerializer):
    """The related records of an instance, in a stated order.

    child: the serializer of one of them, or a OneOf where each row only leads to another record.
    rows: a function from the instance's id, or an expression for it, to the related rows; by default the relation
        that the field is named after.
    along: the relations that `rows` follows.
    where: a condition on the related rows.
    order: their order; by default that of their model.
    """

    def __init__(
        self,
        *,
        child: "serializers.ModelSerializer | OneOf",
        rows: Callable[[Any], QuerySet] | None = None,
        along: Iterable[str] = (),
        where: Q | None = None,
        order: Iterable[Any] = (),
        **options: Any,
    ) -> None:
        self.rows, self.where, self.order = rows, where or Q(), list(order)
        self.along = tuple(along)
        super().__init__(child=child, read_only=True, **options)

    def related(self, instance_id: Any) -> QuerySet:
        """The related rows of the instance with this id, in their order."""
        rows = self.rows(instance_id) if self.rows else self._along_relation(instance_id)
        return rows.filter(self.where).order_by(*(self.order or self._usual_order(rows.model)))

    def get_attribute(self, instance: Any) -> QuerySet:
        for name in self.source_attrs[:-1]:
            instance = getattr(instance, name)
        return self.related(instance.pk)

    def project(self, path: str) -> Combinable:
        owner = path + "".join(f"{name}__" for name in self.source_attrs[:-1])
        rows = self.related(OuterRef(f"{owner}pk"))
        rendered = self.child.project("") if isinstance(self.child, OneOf) else project(self.child)
        return JsonArray(rows.values_list(rendered))

    def _usual_order(self, model: type[models.Model]) -> list[Any]:
        # All of them belong to the same instance; to order by it would join it, and sort by all that it is sorted by.
        belongs_to = None if self.rows else self._relation().remote_field.name
        return [*(name for name in model._meta.ordering if name != belongs_to), "pk"]

    def _along_relation(self, instance_id: Any) -> QuerySet:
        relation = self._relation()
        back = relation.remote_field.name if relation.auto_created else relation.related_query_name()
        return relation.related_model._base_manager.filter(**{back: instance_id})

    def _relation(self) -> Any:
        model = self.parent.Meta.model
        for name in self.source_attrs[:-1]:
            model = model._meta.get_field(name).related_model
        return model._meta.get_field(self.source_attrs[-1])


class OneOf(serializers.Field):
    """A record of one of several kinds, each with its own foreign key: its small object with a `type` before it.

    arms: for each foreign key the serializer of the small object; the type is the foreign key's name, or the one
        given in `types`.
    has_type: whether to show the type.
    """

    def __init__(
        self,
        arms: dict[str, "serializers.ModelSerializer"],
        types: dict[str, str] | None = None,
        has_type: bool = True,
        **options: Any,
    ) -> None:
        self.arms, self.types, self.has_type = arms, types or {}, has_type
        super().__init__(**{"source": "*", "read_only": True, **options})

    def bind(self, field_name: str, parent: Any) -> None:
        super().bind(field_name, parent)
        for name, arm in self.arms.items():
            arm.bind(name, self)

    def to_representation(self, instance: models.Model) -> dict[str, Any] | None:
        for name, arm in self.arms.items():
            if record := getattr(instance, name):
                shown = {"type": self.type_of(name)} if self.has_type else {}
                return {**shown, **arm.to_representation(record)}
        return None

    def type_of(self, name: str) -> str:
        """The word for the kind of record behind the foreign key `name`."""
        return self.types.get(name, name)

    def project(self, path: str) -> Combinable:
        owner = instance_path(self, path)
        arms = (
            When(**{f"{owner}{name}__isnull": False}, then=self._project_arm(name, arm, f"{owner}{name}__"))
            for name, arm in self.arms.items()
        )
        return Case(*arms, output_field=Json())

    def _project_arm(self, name: str, arm: "serializers.ModelSerializer", path: str) -> JsonObject:
        shown = {"type": Value(self.type_of(name))} if self.has_type else {}
        return JsonObject(**shown, **members(arm, path))


PLAIN = (
    serializers.CharField,
    serializers.BooleanField,
    serializers.IntegerField,
    serializers.DateField,
    serializers.JSONField,
    serializers.ListField,
)


def project(
    serializer: "serializers.ModelSerializer", path: str = "", codes: Mapping[str, Expression] | None = None
) -> JsonObject:
    """The SQL expression that renders what `serializer` would render of the instance at `path`.

    codes: what tells its coded values, by the fields' names, where the query's rows know them already.
    Raises NotProjectableError for a field that PostgreSQL cannot render.
    """
    known = {
        name: serializer.fields[name].of(code) for name, code in (codes or {}).items() if name in serializer.fields
    }
    return JsonObject(**members(serializer, path, known))


def members(
    serializer: "serializers.ModelSerializer", path: str, known: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The expressions of a serializer's fields by their names. known: some of them."""
    known = known or {}
    return {name: known.get(name) or _expression(field, path) for name, field in serializer.fields.items()}


def _expression(field: Any, path: str) -> Any:
    if hasattr(field, "project"):
        return field.project(path)
    if isinstance(field, serializers.ModelSerializer):
        return _nested(field, path)
    if isinstance(field, serializers.ListField) and isinstance(field.child, Text):
        return Func(F(orm_path(field, path)), template="array_replace(%(expressions)s, '', NULL)")
    if isinstance(field, PLAIN) and field.source != "*":
        return F(orm_path(field, path))
    raise NotProjectableError(
        f"{type(field.parent).__name__}.{field.field_name}: PostgreSQL cannot render a {type(field).__name__}; "
        "give it a method project(path) that returns an SQL expression."
    )


def _nested(serializer: "serializers.ModelSerializer", path: str) -> Any:
    target = orm_path(serializer, path)
    whole = project(serializer, f"{target}__")
    return Case(When(**{f"{target}__isnull": True}, then=Value(None)), default=whole, output_field=Json())
