"""From a file to what its rows say: each cell read by its column's rule, unless a person has ruled what it means."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date

from regulations.importers.files import Table
from regulations.importers.readings import Cell, Outcome, Reading, Reason, kept, normalised, quarantined
from regulations.importers.statements import Register, Statement
from regulations.models import Ruling

Progress = Callable[[str], None]
# By the firm's name, the column and the raw cell: the number of the ruling, and what the cell is taken to say.
Rulings = Mapping[tuple[str, str, str], tuple[int, str]]
NAME_COLUMN = "ae_lei_name"


@dataclass(frozen=True)
class ReadRow:
    """A row as it was read. `cells` and `readings` are by column, in the file's order."""

    number: int
    cells: Mapping[str, str]
    readings: Mapping[str, Reading]
    statement: Statement


def rulings(register: Register) -> Rulings:
    """What people have ruled about cells of the register."""
    made = Ruling.objects.filter(register=register.key, about=Ruling.About.CELL)
    return {(each.name, each.column, each.raw): (each.pk, each.value) for each in made}


def read_rows(register: Register, table: Table, on: date, ruled: Rulings) -> list[ReadRow]:
    """Read all cells of a table whose columns are the register's, and say what each row states. Pure."""
    return [
        _read_row(register, number, dict(zip(table.columns, row, strict=True)), on, ruled)
        for number, row in enumerate(table.rows, start=1)
    ]


def misplaced_columns(register: Register, columns: Iterable[str]) -> tuple[list[str], list[str]]:
    """The columns that the register has and these lack, and those of these that the register does not have."""
    named = {column for column in columns if not _is_unnamed(column)}
    return sorted(register.columns.keys() - named), sorted(named - register.columns.keys())


def _read_row(register: Register, number: int, cells: dict[str, str], on: date, ruled: Rulings) -> ReadRow:
    readings = {
        column: replace(_read(register, Cell(column, raw, cells, on), ruled), raw=raw) for column, raw in cells.items()
    }
    return ReadRow(number, cells, readings, register.state(readings))


def _read(register: Register, cell: Cell, ruled: Rulings) -> Reading:
    if _is_unnamed(cell.column):
        return quarantined(Reason.UNKNOWN, "The column has no name.") if cell.raw.strip() else kept(cell)
    rule = register.columns[cell.column]
    ruling = ruled.get((cell.row.get(NAME_COLUMN, ""), cell.column, cell.raw))
    if ruling is None:
        return rule(cell)
    # What a person says is read by the same rule, so that it is held to the same form.
    number, said = ruling
    reading = rule(replace(cell, raw=said)) if said else normalised(None, "")
    return reading if reading.outcome == Outcome.QUARANTINED else normalised(reading.value, f"ruling/{number}")


def _is_unnamed(column: str) -> bool:
    return column.startswith("(") and column.endswith(")")
