"""Writes a run down: its rows, every cell with how it was read, and what would change."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from django.db import connection
from psycopg.types.json import Json

from regulations.importers.extracts import ReadRow
from regulations.importers.files import Table
from regulations.importers.holds import Hold, unknown_words
from regulations.importers.plans import Plan, State
from regulations.importers.readings import Outcome, Value
from regulations.importers.statements import Register
from regulations.models import Extract, ImportCell, ImportChange, ImportRow, ImportRun

BATCH = 1000
CELL = ["row_id", "column", "raw", "outcome", "rule", "value", "reason", "explanation", "proposal"]


def write_down(
    register: Register,
    extract: Extract,
    by: str,
    table: Table,
    rows: Sequence[ReadRow],
    plan: Plan,
    holds: Sequence[Hold],
) -> ImportRun:
    """Store what was read and what would change; return the run. Its database checks that no cell is missing."""
    counted = Counter(reading.outcome for row in rows for reading in row.readings.values())
    run = ImportRun.objects.create(
        extract=extract,
        made_by=by,
        rules=register.rules,
        columns=list(table.columns),
        row_count=len(rows),
        kept_count=counted[Outcome.KEPT],
        normalised_count=counted[Outcome.NORMALISED],
        quarantined_count=counted[Outcome.QUARANTINED],
        unknown_count=unknown_words(rows),
        holds=[hold.told() for hold in holds],
        digest=plan.digest(),
    )
    stored = _store_rows(run, rows, plan)
    _store_cells(stored, rows)
    _store_changes(run, stored, plan)
    return run


def _store_rows(run: ImportRun, rows: Sequence[ReadRow], plan: Plan) -> dict[int, ImportRow]:
    told = {row.number: plan.rows.get(row.number, (State.SET_ASIDE, "")) for row in rows}
    made = [ImportRow(run=run, number=number, state=state, note=note) for number, (state, note) in told.items()]
    return {row.number: row for row in ImportRow.objects.bulk_create(made, batch_size=BATCH)}


def _store_cells(stored: dict[int, ImportRow], rows: Sequence[ReadRow]) -> None:
    """By COPY, as a file of ten thousand rows has more than a hundred thousand cells."""
    with connection.cursor() as cursor:
        names = ", ".join(f'"{name}"' for name in CELL)
        with cursor.copy(f"COPY {ImportCell._meta.db_table} ({names}) FROM STDIN") as copy:
            for cell in _cells(stored, rows):
                copy.write_row(cell)


def _cells(stored: dict[int, ImportRow], rows: Sequence[ReadRow]) -> Iterator[tuple[Any, ...]]:
    for row in rows:
        row_id = stored[row.number].pk
        for column, reading in row.readings.items():
            value = Json(_as_json(reading.value)) if reading.outcome == Outcome.NORMALISED else None
            yield (
                row_id,
                column,
                row.cells[column],
                reading.outcome.value,
                reading.rule,
                value,
                reading.reason.value if reading.reason else "",
                reading.explanation,
                reading.proposal,
            )


def _as_json(value: Value) -> Any:
    if isinstance(value, tuple):
        return list(value)
    return value.isoformat() if isinstance(value, date) else value


def _store_changes(run: ImportRun, stored: dict[int, ImportRow], plan: Plan) -> None:
    ImportChange.objects.bulk_create(
        [
            ImportChange(
                run=run,
                row=stored[each.row] if each.row else None,
                action=each.action,
                kind=each.kind,
                record=each.key,
                fields=each.told(),
            )
            for each in plan.changes()
        ],
        batch_size=BATCH,
    )
