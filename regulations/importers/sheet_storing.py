"""Writes what a spreadsheet says, all or nothing, and tells field by field what that adds and changes."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from django.db.models import Model

from regulations.importers.faults import Fault, RefusedError, nearest
from regulations.importers.rows import Row
from regulations.importers.shapes import Shape
from regulations.importers.sheet_columns import SOURCE, is_citable
from regulations.importers.spreadsheets import KEYS, SheetRow
from regulations.importers.storing import store_records
from regulations.importers.writing import BATCH, Books, Pair, store_list
from regulations.models import Change, Citation, Source, change
from regulations.models.base import DatePrecision
from regulations.models.search import search_refreshed_at_end

# So many characters of a date are known.
SHOWN = {DatePrecision.YEAR: 4, DatePrecision.MONTH: 7, DatePrecision.DAY: 10}


@dataclass(frozen=True)
class Difference:
    """What one field said, and what it says now."""

    field: str
    before: str
    after: str


@dataclass
class Told:
    """What a sheet comes to.

    added, changed: by the record's key, field by field. uncited: keys of added records without evidence.
    cited_count: how many citations were added.
    """

    added: dict[str, list[Difference]] = field(default_factory=dict)
    changed: dict[str, list[Difference]] = field(default_factory=dict)
    unchanged_count: int = 0
    uncited: list[str] = field(default_factory=list)
    cited_count: int = 0


def apply(shape: Shape, rows: Sequence[SheetRow], *, by: str, kind: Change.Kind, reason: str, today: date) -> Told:
    """Bring the records in line with the sheet's rows.

    by, kind, reason: of the change. today: the day on which their sources were read.
    Raises RefusedError with every reference to nothing, or every row that a rule forbids; nothing is written then.
    """
    lists = {name: _lists_now(shape, name, rows) for name in shape.lists if any(name in row.given for row in rows)}
    told = _told(shape, rows, lists)
    with change(actor=by, kind=kind, reason=reason), search_refreshed_at_end():
        ids = _source_ids(rows)
        pairs, books = store_records([each.row for each in rows])
        given = {id(each.row): each for each in rows}
        for name in lists:
            _store_list(shape, name, [pair for pair in pairs if name in given[id(pair[0])].given], books)
        if books.faults:
            raise RefusedError(books.faults)
        if is_citable(shape):
            told.cited_count = _cite(shape, [(given[id(row)], instance) for row, instance in pairs], ids, by, today)
    return told


def _store_list(shape: Shape, name: str, pairs: list[Pair], books: Books) -> None:
    if pairs:
        store_list(shape, name, shape.lists[name], pairs, books)


def _lists_now(shape: Shape, name: str, rows: Iterable[SheetRow]) -> dict[int, list[str]]:
    """The keys of the records that the field names now, by the id of the record."""
    related = shape.lists[name].related_model
    found = defaultdict(list)
    ids = [each.instance.pk for each in rows if each.instance]
    path = f"{name}__{KEYS[related]}"
    for pk, key in shape.model._default_manager.filter(pk__in=ids, **{f"{name}__isnull": False}).values_list(
        "pk", path
    ):
        found[pk].append(key)
    return dict(found)


def _told(shape: Shape, rows: Iterable[SheetRow], lists: Mapping[str, Mapping[int, list[str]]]) -> Told:
    told = Told()
    for each in rows:
        found = list(_differences(shape, each, lists))
        if each.instance is None:
            told.added[each.row.key] = found
            if is_citable(shape) and not each.sources:
                told.uncited.append(each.row.key)
        elif found:
            told.changed[each.row.key] = found
        else:
            told.unchanged_count += 1
    return told


def _differences(shape: Shape, each: SheetRow, lists: Mapping[str, Mapping[int, list[str]]]) -> Iterable[Difference]:
    for name in [*shape.fields, *shape.lists]:
        if name not in each.given:
            continue
        if name in shape.lists:
            have = lists[name].get(each.instance.pk, []) if each.instance else []
            before, after = (" | ".join(sorted(keys)) for keys in (have, each.row.lists[name]))
        else:
            before, after = (words_of(row, name) if row else "" for row in (each.before, each.row))
        if before != after:
            yield Difference(name, before, after)


def words_of(row: Row, name: str) -> str:
    """What a field of the row says, as a cell would say it."""
    if name in row.shape.references:
        return str(row.references.get(name, ""))
    value = row.values.get(name)
    if isinstance(value, date):
        return value.isoformat()[: SHOWN[row.values.get(f"{name}_precision", DatePrecision.DAY)]]
    if isinstance(value, list):
        return " | ".join(map(str, value))
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def _source_ids(rows: Iterable[SheetRow]) -> dict[str, int]:
    """The ids of the rows' sources by key. Raises RefusedError for those that are not there."""
    wanted = {key for each in rows for key in each.sources}
    ids = dict(Source.objects.filter(slug__in=wanted).values_list("slug", "pk"))
    if wanted <= ids.keys():
        return ids
    known = list(Source.objects.values_list("slug", flat=True))
    raise RefusedError(
        Fault(each.row.place, f"{SOURCE}: there is no source “{key}”.{nearest(key, known)}")
        for each in rows
        for key in each.sources
        if key not in ids
    )


def _cite(shape: Shape, pairs: Sequence[tuple[SheetRow, Model]], ids: Mapping[str, int], by: str, today: date) -> int:
    """Cite each row's sources: for all of a record that is new, else for the columns that say something of it.

    A source that a record cites already for these fields is not cited again. Returns how many citations were added.
    """
    part = shape.part("citations")
    assert part is not None
    owner = f"{part.owner}_id"
    cited = defaultdict(list)
    found = Citation.objects.filter(**{f"{owner}__in": [instance.pk for _, instance in pairs]}, source__in=ids.values())
    for pk, source, fields in found.values_list(owner, "source", "fields"):
        cited[pk, source].append(fields)
    new = []
    for each, instance in pairs:
        fields = sorted(each.given - {*shape.identity}) if each.instance else []
        for source in (ids[key] for key in each.sources):
            if not any(not have or (fields and {*have} >= {*fields}) for have in cited[instance.pk, source]):
                facts = {owner: instance.pk, "source_id": source, "fields": fields}
                new.append(Citation(**facts, method=Citation.Method.PERSON, read_by=by, read_on=today))
    Citation.objects.bulk_create(new, batch_size=BATCH)
    return len(new)
