"""Records as an import sees them: by kind, each field's value with natural keys in place of ids."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Model

from regulations.models import (
    Authorisation,
    Company,
    EnforcementAction,
    Jurisdiction,
    Policy,
    RegisterEntry,
    Regulator,
    Source,
    Topic,
)

MODELS: dict[str, type[Model]] = {
    "company": Company,
    "source": Source,
    "authorisation": Authorisation,
    "enforcement_action": EnforcementAction,
}
# Which record of ours an entry of each kind becomes.
RECORD_OF = {
    RegisterEntry.Kind.AUTHORISATION: "authorisation",
    RegisterEntry.Kind.WHITE_PAPER: "source",
    RegisterEntry.Kind.WARNING: "enforcement_action",
}
KEYS: dict[type[Model], str] = {
    Authorisation: "key",
    Company: "slug",
    EnforcementAction: "slug",
    Jurisdiction: "code",
    Policy: "slug",
    Regulator: "slug",
    Source: "slug",
    Topic: "slug",
}
# A text, a day, keys of several records; None is no value.
Said = str | date | frozenset[str] | None


def key_name(kind: str) -> str:
    """The field with the natural key of a kind of record."""
    return KEYS[MODELS[kind]]


def current(kind: str, ids: Collection[int], names: Iterable[str]) -> dict[int, dict[str, Said]]:
    """What our records say now: by id, the values of these fields and of `key`. One query for each list field."""
    model, names = MODELS[kind], list(names)
    lists = [name for name in names if model._meta.get_field(name).many_to_many]
    paths = {name: _path(model, name) for name in names if name not in lists} | {"key": KEYS[model]}
    rows = model._default_manager.filter(pk__in=ids).values_list("pk", *paths.values())
    found: dict[int, dict[str, Said]] = {
        pk: {name: None if value == "" else value for name, value in zip(paths, values, strict=True)}
        for pk, *values in rows
    }
    for name in lists:
        for pk, keys in _lists(model, name, ids).items():
            found[pk][name] = keys
    return found


def _path(model: type[Model], name: str) -> str:
    related: Any = model._meta.get_field(name).related_model
    return f"{name}__{KEYS[related]}" if related else name


def _lists(model: type[Model], name: str, ids: Collection[int]) -> dict[int, frozenset[str]]:
    related: Any = model._meta.get_field(name).related_model
    found = defaultdict(set)
    for pk, key in model._default_manager.filter(pk__in=ids).values_list("pk", f"{name}__{KEYS[related]}"):
        found[pk].add(key)
    return {pk: frozenset(keys - {None}) for pk, keys in found.items()}


def vocabulary() -> dict[type[Model], set[str]]:
    """The keys of all records that registers refer to and do not make."""
    return {
        model: set(model._default_manager.values_list(KEYS[model], flat=True))
        for model in (Jurisdiction, Policy, Regulator, Topic)
    }


def misfit(kind: str, name: str, value: Said) -> str:
    """Why the field cannot hold the value: too long, no web address ...; empty if it can."""
    field: Any = MODELS[kind]._meta.get_field(name)
    if value is None or field.is_relation:
        return ""
    try:
        field.clean(value, None)
    except ValidationError as error:
        return " ".join(error.messages)
    return ""


def unknown_keys(kind: str, fields: Mapping[str, Said], known: Mapping[type[Model], Collection[str]]) -> dict[str, str]:
    """By field, what it names that we do not have: “SM” for a place that is none of ours.

    known: the keys of our records, of the models that are looked at.
    """
    found = {}
    for name, value in fields.items():
        related: Any = MODELS[kind]._meta.get_field(name).related_model
        keys = value if isinstance(value, frozenset) else {value} if value else set()
        if related in known and (strange := sorted(str(key) for key in keys if key not in known[related])):
            found[name] = ", ".join(strange)
    return found


def lacking(kind: str, fields: Mapping[str, Said]) -> list[str]:
    """The fields without which a record of this kind cannot be."""
    return [
        field.name
        for field in MODELS[kind]._meta.fields
        if not (field.null or field.blank or field.has_default() or field.primary_key or field.name == key_name(kind))
        and fields.get(field.name) is None
    ]


def as_json(value: Said) -> Any:
    """The value as an entry, a preview and a disagreement keep it."""
    if isinstance(value, frozenset):
        return sorted(value)
    return value.isoformat() if isinstance(value, date) else value


def all_as_json(fields: Mapping[str, Said]) -> dict[str, Any]:
    """The values as JSON, by field."""
    return {name: as_json(value) for name, value in fields.items()}
