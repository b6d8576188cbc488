"""Writes rows of one kind, many at once; where the database refuses, finds out which rows it means."""

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.db import DatabaseError, transaction
from django.db.models import Model

from regulations.importers.database_words import reason_of
from regulations.importers.faults import Fault
from regulations.importers.rows import Row
from regulations.importers.shapes import AnyField, AnyKeys, Shape, through_of

BATCH = 1000

# A row, and the instance of the model that stands for it.
Pair = tuple[Row, Model]


@dataclass
class Books:
    """What is known while rows are stored: ids by natural key, faults, and what happened to the rows of each model."""

    ids: dict[type[Model], dict[str, int]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    happened: dict[type[Model], Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    untouched: set[tuple[type[Model], int]] = field(default_factory=set)

    def fault(self, row: Row, reason: str) -> None:
        self.faults.append(Fault(row.place, reason))


def store(
    shape: Shape,
    owned: Iterable[tuple[Row, Model | None]],
    existing: Iterable[Model],
    books: Books,
) -> list[Pair]:
    """Bring rows of one shape in line: add, change, and remove parts that no row stands for.

    owned: each row with the instance that it belongs to, or None for a record.
    existing: the rows of the base that may be the same.
    Returns the pairs that are in the base now. RefusedError rows are left out and stand among the faults.
    """
    by_identity = {_identity(shape, instance): instance for instance in existing}
    new, changed, same = [], [], []
    for row, owner in owned:
        wanted = _instance(row, owner, books)
        if wanted is None:
            continue
        instance = by_identity.pop(_identity(shape, wanted), None)
        if instance is None:
            new.append((row, wanted))
        elif _brought_in_line(instance, wanted):
            changed.append((row, instance))
        else:
            same.append((row, instance))
    if shape.owner:
        _remove(shape, list(by_identity.values()), books)
    _keep(shape, same, books)
    return [
        *same,
        *_write(shape, changed, "changed", _update, books),
        *_write(shape, new, "added", _insert, books),
    ]


def store_list(shape: Shape, name: str, model_field: AnyKeys, pairs: list[Pair], books: Books) -> None:
    """Bring the records that a many-to-many field names in line for all rows of one shape."""
    through = through_of(model_field)
    here = f"{model_field.m2m_field_name()}_id"
    there = f"{model_field.m2m_reverse_field_name()}_id"
    ids = books.ids[model_field.related_model]
    wanted = {(instance.pk, ids[key]) for row, instance in pairs for key in row.lists[name] if key in ids}
    owners = {instance.pk for _, instance in pairs}
    found = through._default_manager.filter(**{f"{here}__in": owners})
    have = {(a, b): pk for pk, a, b in found.values_list("pk", here, there)}
    surplus, missing = have.keys() - wanted, wanted - have.keys()
    through._default_manager.filter(pk__in=[have[link] for link in surplus]).delete()
    through._default_manager.bulk_create([through(**{here: a, there: b}) for a, b in sorted(missing)], batch_size=BATCH)
    for owner in {a for a, _ in surplus | missing}:
        _touch(shape, owner, books)


def _told_fields(model: type[Model]) -> list[AnyField]:
    return [
        model_field
        for model_field in model._meta.concrete_fields
        if model_field.editable and not model_field.primary_key
    ]


def _identity(shape: Shape, instance: Model) -> tuple[Hashable, ...]:
    """What tells the row from others of its kind; all that it says where its shape names nothing."""
    names = {*shape.identity, shape.owner}
    told = [model_field for model_field in _told_fields(shape.model) if model_field.name in names or not shape.identity]
    return tuple(_hashable(getattr(instance, model_field.attname)) for model_field in told)


def _hashable(value: Any) -> Hashable:
    return tuple(value) if isinstance(value, list) else value


def _instance(row: Row, owner: Model | None, books: Books) -> Model | None:
    """The model's instance that the row describes; None where a record that it names was refused before."""
    attributes = dict(row.values)
    for name, reference in row.shape.references.items():
        key = row.references.get(name)
        if key is not None and key not in books.ids[reference.related_model]:
            return None
        attributes[reference.attname] = key and books.ids[reference.related_model][key]
    if owner is not None:
        attributes[row.shape.owner] = owner
        for name in row.shape.inherited:
            attributes[f"{name}_id"] = getattr(owner, f"{name}_id")
    return row.shape.model(**attributes)


def _brought_in_line(instance: Model, wanted: Model) -> bool:
    """Give the instance what is wanted; say whether that changed anything."""
    changed = False
    for model_field in _told_fields(type(wanted)):
        value = getattr(wanted, model_field.attname)
        if getattr(instance, model_field.attname) != value:
            setattr(instance, model_field.attname, value)
            changed = True
    return changed


def _remove(shape: Shape, instances: list[Model], books: Books) -> None:
    if instances:
        ids = [instance.pk for instance in instances]
        shape.model._default_manager.filter(pk__in=ids).delete()
        books.happened[shape.model]["removed"] += len(ids)


def _keep(shape: Shape, pairs: list[Pair], books: Books) -> None:
    books.happened[shape.model]["unchanged"] += len(pairs)
    books.untouched |= {(shape.model, instance.pk) for _, instance in pairs}


def _touch(shape: Shape, pk: int, books: Books) -> None:
    """Count a record as changed of which only a list changed."""
    if (shape.model, pk) in books.untouched:
        books.untouched.remove((shape.model, pk))
        books.happened[shape.model].update(unchanged=-1, changed=1)


def _write(
    shape: Shape,
    pairs: list[Pair],
    word: str,
    write: Callable[[type[Model], list[Model]], None],
    books: Books,
) -> list[Pair]:
    """Write all at once if the rules allow it, else one by one; count them under `word`."""
    pairs = [pair for pair in pairs if _is_clean(pair, books)]
    try:
        with transaction.atomic():
            write(shape.model, [instance for _, instance in pairs])
    except DatabaseError:
        pairs = [pair for pair in pairs if _is_written(pair, write, books)]
    books.happened[shape.model][word] += len(pairs)
    return pairs


def _is_clean(pair: Pair, books: Books) -> bool:
    row, instance = pair
    try:
        instance.clean()
    except ValidationError as error:
        books.fault(row, " ".join(error.messages))
        return False
    return True


def _is_written(pair: Pair, write: Callable[[type[Model], list[Model]], None], books: Books) -> bool:
    row, instance = pair
    try:
        with transaction.atomic():
            write(row.shape.model, [instance])
    except DatabaseError as error:
        books.fault(row, reason_of(instance, error))
        return False
    return True


def _insert(model: type[Model], instances: list[Model]) -> None:
    model._default_manager.bulk_create(instances, batch_size=BATCH)


def _update(model: type[Model], instances: list[Model]) -> None:
    names = [model_field.name for model_field in _told_fields(model)]
    model._default_manager.bulk_update(instances, names, batch_size=BATCH)
