"""A spreadsheet of an editor: the records of one collection, of which only the columns that it has are touched."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db.models import Model

from regulations.importers.cell_damage import FORMULA
from regulations.importers.faults import Fault, Place, RefusedError
from regulations.importers.files import Table, read_bytes, read_table
from regulations.importers.rows import Row, read_record, refuse_duplicates
from regulations.importers.shapes import SHAPES, Shape, is_list_of_text
from regulations.importers.sheet_columns import SOURCE, fields_of, is_citable
from regulations.importers.workbooks import read_workbook

# An empty cell says nothing; this one says that there is nothing.
NOTHING = "-"
BETWEEN = "|"
# By which field other records name a record.
KEYS = {shape.model: shape.identity[0] for shape in SHAPES if len(shape.identity) == 1}


@dataclass(frozen=True)
class SheetRow:
    """One record as the sheet has it.

    row: the record, complete: what the sheet does not say is as it was, or has its default.
    before: the record as it was, and `instance` itself; None if it is new.
    given: the fields that the sheet says something of. sources: the keys of its evidence.
    """

    row: Row
    before: Row | None
    instance: Model | None
    given: frozenset[str]
    sources: tuple[str, ...]


def read_file(path: Path, sheet: str, faults: list[Fault]) -> Table:
    """The cells of a CSV file, or of a workbook's sheet, as texts; those that cannot be stand among the faults.

    Raises RefusedFileError and FaultyFileError.
    """
    content = read_bytes(path)
    if content.startswith(b"PK"):
        return read_workbook(content, sheet, path.name, faults)
    return read_table(content)


def read_sheet(shape: Shape, table: Table, file: str, faults: list[Fault]) -> list[SheetRow]:
    """What the table says of the records of a shape. Our records that it names are locked until the transaction ends.

    faults: of the cells, found before. Raises RefusedError with them and all that is wrong with columns and rows.
    """
    fields = fields_of(shape, table.columns, file)
    entries = list(_entries(shape, fields, table, file, faults))
    existing = _existing(shape, entries)
    rows = [_read(shape, entry, existing, faults) for entry in entries]
    refuse_duplicates([each.row for each in rows], faults)
    if faults:
        raise RefusedError(faults)
    return rows


@dataclass(frozen=True)
class _Entry:
    """A row's cells by field: what is said, and which fields are said to be empty."""

    place: Place
    said: Mapping[str, Any]
    emptied: frozenset[str]
    sources: tuple[str, ...]

    def identity(self, shape: Shape) -> tuple[str, ...]:
        """By what the record is known, in the words of `Row.identity`."""
        told = {name: value for name, value in self.said.items() if name in shape.identity}
        # What else it lacks is told when the whole entry is read.
        return read_record(shape, told, self.place, []).identity()


def _entries(shape: Shape, fields: list[str], table: Table, file: str, faults: list[Fault]) -> Iterator[_Entry]:
    for line, cells in enumerate(table.rows, start=2):
        if not any(cell.strip() for cell in cells):
            continue
        place = Place(file, line)
        for column, field, cell in zip(table.columns, fields, cells, strict=True):
            if not field and cell.strip():
                faults.append(Fault(place, f"{column}: this cell stands in a column without a name"))
            elif FORMULA.match(cell.strip()):
                faults.append(Fault(place, f"{column}: “{cell[:40]}” begins like a formula of a spreadsheet"))
        named = {field: cell for field, cell in zip(fields, cells, strict=True) if field and cell}
        yield _entry(shape, named, place)


def _entry(shape: Shape, cells: dict[str, str], place: Place) -> _Entry:
    cites = is_citable(shape)
    sources = tuple(_several(cells.pop(SOURCE))) if cites and cells.get(SOURCE) else ()
    emptied = frozenset(name for name, cell in cells.items() if cell.strip() == NOTHING)
    said = {name: _value(shape, name, cell) for name, cell in cells.items() if name not in emptied}
    return _Entry(place, said, emptied, sources)


def _value(shape: Shape, name: str, cell: str) -> str | list[str]:
    is_several = name in shape.lists or is_list_of_text(shape.fields[name])
    return _several(cell) if is_several else cell


def _several(cell: str) -> list[str]:
    return [text.strip() for text in cell.split(BETWEEN)]


def _existing(shape: Shape, entries: Iterable[_Entry]) -> dict[tuple[str, ...], tuple[Row, Model]]:
    """Our records that the entries may be of, by what they are known by."""
    found = shape.model._default_manager.select_for_update(of=("self",))
    if shape.references:
        found = found.select_related(*shape.references)
    if len(shape.identity) == 1:
        found = found.filter(**{f"{shape.identity[0]}__in": [entry.identity(shape)[0] for entry in entries]})
    rows = [(row_of(shape, instance), instance) for instance in found]
    return {row.identity(): (row, instance) for row, instance in rows}


def row_of(shape: Shape, instance: Model) -> Row:
    """The record as it is, without its lists and parts."""
    row = Row(shape, Place("", 0))
    for field in instance._meta.concrete_fields:
        if field.name in shape.references:
            related = getattr(instance, field.name)
            if related is not None:
                row.references[field.name] = getattr(related, KEYS[type(related)])
        elif field.editable and not field.primary_key:
            row.values[field.name] = getattr(instance, field.attname)
    return row


def _read(
    shape: Shape,
    entry: _Entry,
    existing: Mapping[tuple[str, ...], tuple[Row, Model]],
    faults: list[Fault],
) -> SheetRow:
    before, instance = existing.get(entry.identity(shape), (None, None))
    row = read_record(shape, dict(entry.said), entry.place, faults, before, entry.emptied)
    given = frozenset(entry.said) | entry.emptied
    return SheetRow(row, before, instance, given, entry.sources)
