"""From rows to the base, all or nothing: what is new is added, what differs brought in line, the rest left alone."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from django.db.models import Model

from regulations.importers.faults import Fault, RefusedError, nearest
from regulations.importers.rows import Row, walk
from regulations.importers.shapes import SHAPES, Shape
from regulations.importers.writing import Books, Pair, store, store_list
from regulations.models import Change, change
from regulations.models.search import search_refreshed_at_end

# Whom the revisions name for what a load changes.
ACTOR = "load_knowledge"

# Is told a kind, and how many records of it are stored now.
Progress = Callable[[str, int], None]


@dataclass(frozen=True)
class Changes:
    """What a load did to the rows of one model."""

    model: type[Model]
    added: int = 0
    changed: int = 0
    removed: int = 0
    unchanged: int = 0


def apply(rows: Iterable[Row], progress: Progress | None = None) -> list[Changes]:
    """Bring the base in line with the rows.

    A record is as the files say, whole: its fields, and the rows that belong to it. Records that the files do not
    name stay as they are. Returns what was done, by model.
    Raises RefusedError with every reference to nothing, or with every row that a rule of the models or of the database
    forbids; nothing is written then.
    """
    with change(actor=ACTOR, kind=Change.Kind.IMPORT), search_refreshed_at_end():
        pairs, books = store_records(list(rows), progress)
        _store_lists(pairs, books)
        _store_parts(pairs, books)
        if books.faults:
            raise RefusedError(books.faults)
    return [Changes(model, **{word: counts[word] for word in counts}) for model, counts in books.happened.items()]


def store_records(rows: list[Row], progress: Progress | None = None) -> tuple[list[Pair], Books]:
    """Bring the records' own fields in line, without their lists and parts, within the caller's transaction.

    What the database refuses stands among the faults of the books. Raises RefusedError for references to nothing.
    """
    books = Books(ids=_known_ids())
    _refuse_dangling(rows, books)
    return _store_records(rows, books, progress or _say_nothing), books


def _say_nothing(kind: str, count: int) -> None:
    pass


def _known_ids() -> dict[type[Model], dict[str, int]]:
    """The ids of all records of the base, by model and natural key."""
    return {
        shape.model: dict(shape.model._default_manager.values_list(shape.identity[0], "pk"))
        for shape in SHAPES
        if len(shape.identity) == 1
    }


def _refuse_dangling(rows: list[Row], books: Books) -> None:
    known = {model: set(ids) for model, ids in books.ids.items()}
    for row in rows:
        known.setdefault(row.shape.model, set()).add(row.key)
    faults = [
        Fault(row.place, f"{name}: there is no {_noun(model)} “{key}”.{meant}")
        for row, _ in walk(rows)
        for name, model, key in _names(row)
        if key not in known[model]
        for meant in [nearest(key, known[model])]
    ]
    if faults:
        raise RefusedError(faults)


def _noun(model: type[Model]) -> str:
    return str(model._meta.verbose_name)


def _names(row: Row) -> Iterator[tuple[str, type[Model], str]]:
    """Each other record that a row names: in which field, of which model, by which key."""
    for name, key in row.references.items():
        yield name, row.shape.references[name].related_model, key
    for name, keys in row.lists.items():
        for key in keys:
            yield name, row.shape.lists[name].related_model, key


def _store_records(rows: list[Row], books: Books, progress: Progress) -> list[Pair]:
    pairs: list[Pair] = []
    by_shape = defaultdict(list)
    for row in rows:
        by_shape[row.shape.kind].append(row)
    for shape in SHAPES:
        for generation in _generations(by_shape[shape.kind]):
            existing = _with_keys(shape, generation)
            owned = [(row, None) for row in generation]
            stored = store(shape, owned, existing, books)
            _learn_ids(shape, stored, books)
            pairs += stored
        if by_shape[shape.kind]:
            progress(shape.kind, len(by_shape[shape.kind]))
    return pairs


def _generations(rows: list[Row]) -> Iterator[list[Row]]:
    """The rows in turns, so that each comes after the record of its own kind that it names."""
    waiting = {row.key: row for row in rows}
    while waiting:
        ready = [row for row in waiting.values() if not _waits(row, waiting)]
        if not ready:
            places = [Fault(row.place, "lies in itself, in a circle") for row in waiting.values()]
            raise RefusedError(places)
        yield ready
        for row in ready:
            del waiting[row.key]


def _waits(row: Row, waiting: dict[str, Row]) -> bool:
    own = row.shape.model
    return any(model is own and key in waiting for _, model, key in _names(row))


def _with_keys(shape: Shape, rows: list[Row]) -> Iterable[Model]:
    """The records of the base that have one of the rows' natural keys, or may have it where it is of several fields."""
    if len(shape.identity) > 1:
        return shape.model._default_manager.all()
    keys = [row.key for row in rows]
    return shape.model._default_manager.filter(**{f"{shape.identity[0]}__in": keys})


def _learn_ids(shape: Shape, pairs: list[Pair], books: Books) -> None:
    for row, instance in pairs:
        books.ids.setdefault(shape.model, {})[row.key] = instance.pk


def _store_lists(pairs: list[Pair], books: Books) -> None:
    for shape, of_shape in _by_shape(pairs):
        for name, model_field in shape.lists.items():
            store_list(shape, name, model_field, of_shape, books)


def _store_parts(owners: list[Pair], books: Books) -> None:
    """Store the rows that belong to rows, level by level."""
    for shape, pairs in _by_shape(owners):
        for part in shape.parts:
            existing = _of_owners(part, [instance for _, instance in pairs])
            owned = [(below, owner) for row, owner in pairs for below in row.of(part)]
            _store_parts(store(part, owned, existing, books), books)


def _by_shape(pairs: list[Pair]) -> Iterator[tuple[Shape, list[Pair]]]:
    sorted_out: dict[int, list[Pair]] = defaultdict(list)
    for pair in pairs:
        sorted_out[id(pair[0].shape)].append(pair)
    for of_shape in sorted_out.values():
        yield of_shape[0][0].shape, of_shape


def _of_owners(shape: Shape, owners: list[Model]) -> Iterable[Model]:
    """The rows of the shape that belong to the owners in the base."""
    rows = shape.model._default_manager.filter(**{f"{shape.owner}__in": owners})
    return rows.filter(**dict.fromkeys(shape.empty)) if shape.empty else rows
