"""Which rows of which tables an answer shows: told by the serializer, so that a change of any of them can be passed on."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db import models
from rest_framework import serializers

from kbase.reading.fields import ComputedCode, OneOf, RelatedList, Url


@dataclass(frozen=True)
class Owned:
    """Rows of `model` whose foreign key, in `column`, names the record itself or what the path `owner` leads to."""

    model: type[models.Model]
    column: str
    owner: str = ""


@dataclass(frozen=True)
class Referred:
    """Rows of `model` to which the path leads from the record."""

    model: type[models.Model]
    path: str


Dependency = Owned | Referred


def dependencies(serializer: serializers.ModelSerializer) -> tuple[Dependency, ...]:
    """Whatever the serializer shows of other rows than the record's own, each once."""
    return tuple(dict.fromkeys(_of_serializer(serializer, serializer.Meta.model, "")))


def _of_serializer(serializer: Any, model: type[models.Model], path: str) -> Iterator[Dependency]:
    for field in serializer.fields.values():
        yield from _of_field(field, model, path)


def _of_field(field: Any, model: type[models.Model], path: str) -> Iterator[Dependency]:
    steps = [] if field.source == "*" else list(field.source_attrs)
    if isinstance(field, ComputedCode):
        for name in field.depends_on:
            yield from _along([*steps[:-1], name], model, path)
    elif isinstance(field, RelatedList):
        for name in field.along or steps[-1:]:
            yield from _of_relation(field.child, [*steps[:-1], name], model, path)
    elif isinstance(field, serializers.ModelSerializer):
        yield from _of_relation(field, steps, model, path)
    elif isinstance(field, OneOf):
        yield from _along(steps, model, path)
        yield from _of_arms(field, *_end(steps, model, path))
    else:
        # An address shows the key of the record that it leads to; other fields end at a column.
        yield from _along(steps if isinstance(field, Url) else steps[:-1], model, path)


def _of_relation(child: Any, steps: list[str], model: type[models.Model], path: str) -> Iterator[Dependency]:
    yield from _along(steps, model, path)
    target, longer = _end(steps, model, path)
    if isinstance(child, OneOf):
        yield from _of_arms(child, target, longer)
    else:
        yield from _of_serializer(child, target, longer)


def _of_arms(field: OneOf, model: type[models.Model], path: str) -> Iterator[Dependency]:
    for name, arm in field.arms.items():
        yield from _of_relation(arm, [name], model, path)


def _along(steps: Iterable[str], model: type[models.Model], path: str) -> Iterator[Dependency]:
    for name in steps:
        relation = model._meta.get_field(name)
        yield from _over(relation, path)
        model, path = relation.related_model, _join(path, name)


def _over(relation: Any, path: str) -> Iterator[Dependency]:
    """The rows between the record at the path and the related ones, and these."""
    name = relation.name
    if relation.many_to_many:
        field = relation.remote_field if relation.auto_created else relation
        ours = field.m2m_reverse_name() if relation.auto_created else field.m2m_column_name()
        yield Owned(field.remote_field.through, ours, path)
        yield Referred(relation.related_model, _join(path, name))
    elif relation.one_to_many:
        yield Owned(relation.related_model, relation.field.column, path)
    else:
        yield Referred(relation.related_model, _join(path, name))


def _end(steps: Iterable[str], model: type[models.Model], path: str) -> tuple[type[models.Model], str]:
    for name in steps:
        model, path = model._meta.get_field(name).related_model, _join(path, name)
    return model, path


def _join(path: str, name: str) -> str:
    return f"{path}__{name}" if path else name
