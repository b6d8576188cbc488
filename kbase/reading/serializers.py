"""Serializers that know a selection: which fields to show, which to leave out, which relations to show whole."""

from collections.abc import Iterable
from typing import Any, ClassVar

from django.db import models
from django.utils.module_loading import import_string
from rest_framework import serializers

from kbase.reading.fields import Code, KnownAt, Moment, Number, On, OneOf, RelatedList, Text
from kbase.reading.problems import BadRequest, Fault, unknown
from kbase.reading.selection import EVERYTHING, Selection


class ResourceSerializer(serializers.ModelSerializer):
    """Declares a record's fields once, for the description, for Python and for the SQL that renders them.

    selection: what to show of them.
    `Meta.inline` maps a foreign key to a serializer whose fields stand here in place, before our own: a row between
    two records is shown as the other record, with what the relation itself says.
    """

    serializer_field_mapping: ClassVar = {
        **serializers.ModelSerializer.serializer_field_mapping,
        models.CharField: Text,
        models.TextField: Text,
        models.URLField: Text,
        models.DecimalField: Number,
        models.DateTimeField: Moment,
    }
    serializer_choice_field = Code

    def __init__(self, *args: Any, selection: Selection = EVERYTHING, expanded: bool = False, **options: Any) -> None:
        self.selection, self.expanded = selection, expanded
        super().__init__(*args, **options)

    def get_fields(self) -> dict[str, serializers.Field]:
        fields = {**self._inline_fields(), **super().get_fields()}
        self._refuse_unknown(fields)
        return {
            name: _selected(field, self.selection.below(name), self.selection.expands(name))
            for name, field in fields.items()
            if self.selection.keeps(name)
        }

    def _inline_fields(self) -> dict[str, serializers.Field]:
        found: dict[str, serializers.Field] = {}
        for relation, small in getattr(self.Meta, "inline", {}).items():
            target = small.whole() if self.expanded else small
            for name, field in target().get_fields().items():
                source = relation if field.source == "*" else f"{relation}.{field.source or name}"
                found[name] = _with(field, source=source)
        return found

    def _refuse_unknown(self, fields: dict[str, serializers.Field]) -> None:
        expandable = [name for name, field in fields.items() if _is_expandable(field)]
        # A path of `expand` may lead through records that are shown whole anyway.
        passable = [name for name, field in fields.items() if isinstance(_child(field), ResourceSerializer)]
        faults = []
        for parameter, path in self.selection.paths():
            possible = list(fields) if parameter != "expand" else expandable if len(path) == 1 else passable
            if path[0] not in possible:
                what = "relation to expand" if parameter == "expand" else "field"
                faults.append(unknown(parameter, what, path[0], possible))
        if faults:
            raise BadRequest(faults)


class SmallObject(ResourceSerializer):
    """A related record as its key, its name and its address. `Meta.whole` names the serializer that shows all of it."""

    @classmethod
    def whole(cls) -> type[ResourceSerializer]:
        """The serializer that shows the record whole."""
        serializer: type[ResourceSerializer] = import_string(cls.Meta.whole)
        return serializer


class DetailSerializer(ResourceSerializer):
    """A record alone: it says which day and which moment it speaks of, as a list does in its envelope."""

    on = On(help_text="The day that the answer speaks of.")
    known_at = KnownAt(help_text="The moment in our records that the answer speaks of; null for what we say now.")


def many(child: ResourceSerializer | OneOf, **options: Any) -> RelatedList:
    """A field for the related records that `child` renders; the options are those of RelatedList."""
    return RelatedList(child=child, **options)


def _with(field: serializers.Field, **options: Any) -> serializers.Field:
    """The field again with other options. DRF keeps the arguments of a field for just this."""
    return type(field)(*field._args, **{**field._kwargs, **options})


def _child(field: serializers.Field) -> serializers.Field:
    return field.child if isinstance(field, RelatedList) else field


def _is_expandable(field: serializers.Field) -> bool:
    child = _child(field)
    return isinstance(child, SmallObject) or bool(getattr(getattr(child, "Meta", None), "inline", None))


def _selected(field: serializers.Field, selection: Selection, expand: bool) -> serializers.Field:
    if selection == EVERYTHING and not expand:
        return field
    if isinstance(field, RelatedList):
        return _with(field, child=_selected(field.child, selection, expand))
    if isinstance(field, ResourceSerializer):
        serializer = field.whole() if expand and isinstance(field, SmallObject) else type(field)
        return serializer(**{**field._kwargs, "selection": selection, "expanded": expand})
    if isinstance(field, OneOf):
        return _one_of_selected(field, selection)
    if isinstance(field, Code):
        _refuse_others(selection, field.parts)
        return _with(field, parts=tuple(part for part in field.parts if selection.keeps(part)))
    _refuse_parts(selection)
    return field


def _one_of_selected(field: OneOf, selection: Selection) -> OneOf:
    names = {name: list(arm.fields) for name, arm in field.arms.items()}
    _refuse_others(selection, ["type", *dict.fromkeys(part for parts in names.values() for part in parts)])
    arms = {name: type(arm)(selection=selection.within(names[name])) for name, arm in field.arms.items()}
    return OneOf(arms, **{**field._kwargs, "has_type": selection.keeps("type")})


def _refuse_others(selection: Selection, possible: Iterable[str]) -> None:
    names = list(possible)
    faults = [
        unknown(parameter, "field", path[0], names) for parameter, path in selection.paths() if path[0] not in names
    ]
    if faults:
        raise BadRequest(faults)


def _refuse_parts(selection: Selection) -> None:
    faults = [
        Fault(
            parameter,
            "unknown",
            f"“{'.'.join(path)[:100]}” is asked of a field that has no parts; name the field alone.",
        )
        for parameter, path in selection.paths()
    ]
    if faults:
        raise BadRequest(faults)
