"""Writes a run down: its rows, every cell with how it was read, and what would change."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from django.db import connection
from django.db.models import Model
from psycopg.types.json import Json

from regulations.importers.extracts import ReadRow
from regulations.importers.files import Table
from regulations.importers.holds import Hold, unknown_words
from regulations.importers.plans import Plan, State
from regulations.importers.readings import Outcome, Value
from regulations.importers.statements import Register
from regulations.models import Extract, ImportCell, ImportChange, ImportRow, ImportRun

ROW = ["run_id", "number", "state", "note"]
CHANGE = ["run_id", "row_id", "action", "kind", "record", "fields"]
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


def _store_rows(run: ImportRun, rows: Sequence[ReadRow], plan: Plan) -> dict[int, int]:
    told = {row.number: plan.rows.get(row.number, (State.SET_ASIDE, "")) for row in rows}
    _copy(ImportRow, ROW, ((run.pk, number, state.value, note) for number, (state, note) in told.items()))
    return dict(run.rows.order_by().values_list("number", "pk"))


def _store_cells(ids: dict[int, int], rows: Sequence[ReadRow]) -> None:
    _copy(
        ImportCell,
        CELL,
        (
            (
                ids[row.number],
                column,
                row.cells[column],
                reading.outcome.value,
                reading.rule,
                Json(_as_json(reading.value)) if reading.outcome == Outcome.NORMALISED else None,
                reading.reason.value if reading.reason else "",
                reading.explanation,
                reading.proposal,
            )
            for row in rows
            for column, reading in row.readings.items()
        ),
    )


def _store_changes(run: ImportRun, ids: dict[int, int], plan: Plan) -> None:
    _copy(
        ImportChange,
        CHANGE,
        (
            (run.pk, ids[each.row] if each.row else None, each.action.value, each.kind, each.key, Json(each.told()))
            for each in plan.changes()
        ),
    )


def _copy(model: type[Model], columns: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> None:
    """Store rows by COPY, as a file of ten thousand rows has more than a hundred thousand cells."""
    names = ", ".join(f'"{name}"' for name in columns)
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY {model._meta.db_table} ({names}) FROM STDIN") as copy,
    ):
        for row in rows:
            copy.write_row(row)


def _as_json(value: Value) -> Any:
    if isinstance(value, tuple):
        return list(value)
    return value.isoformat() if isinstance(value, date) else value
