"""How the tests read samples and extracts: as the frame does, but without a base."""

import csv
from dataclasses import replace
from datetime import date
from pathlib import Path

from django.conf import settings

from regulations.importers.readings import Cell, Outcome

SAMPLES = Path(__file__).parent / "samples"
EXTRACTS = settings.BASE_DIR.parent / "shared" / "data" / "registers"
ON = date(2026, 2, 9)


def read(rule, raw, column="", on=ON, **row):
    """One cell by its rule. `row`: other cells of its row."""
    return rule(Cell(column, raw, {column: raw, **row}, on))


def rows_of(path):
    """The raw rows of a file, by column; what has no name is left out."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    return [{column: cell for column, cell in row.items() if column} for row in rows]


def readings_of(register, rows, on=ON):
    """The readings of the rows, by column."""
    return [
        {column: replace(register.columns[column](Cell(column, raw, row, on)), raw=raw) for column, raw in row.items()}
        for row in rows
    ]


def statements_of(register, name, on=ON):
    """What the rows of a sample say."""
    return [register.state(readings) for readings in readings_of(register, rows_of(SAMPLES / name), on)]


def put_aside(register, name, on=ON):
    """The cells of a sample that are quarantined, by the number of the row from 0 and the column, and why."""
    return {
        (number, column): (reading.reason, reading.proposal)
        for number, readings in enumerate(readings_of(register, rows_of(SAMPLES / name), on))
        for column, reading in readings.items()
        if reading.outcome == Outcome.QUARANTINED
    }


def extracts(pattern):
    """The real extracts whose names match, each with its day."""
    return [(path, _day(path.stem[-8:])) for path in sorted(EXTRACTS.glob(pattern))]


def _day(digits):
    return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
