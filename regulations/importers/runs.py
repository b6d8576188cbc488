"""A register's extract as a run: read, shown, held or published, all or nothing.

Runs of one register wait for each other. What a killed run had done is undone by the database.
"""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date

from django.db import connection, transaction
from django.utils import timezone

from regulations.importers import holds
from regulations.importers.extracts import ReadRow, read_rows, rulings
from regulations.importers.files import FaultyFileError, Table, read_table
from regulations.importers.holds import Hold
from regulations.importers.logbook import write_down
from regulations.importers.planning import plan
from regulations.importers.plans import Plan
from regulations.importers.publishing import apply
from regulations.importers.statements import Register
from regulations.models import Extract, ImportRun

Progress = Callable[[str], None]


class HeldError(Exception):
    """The run may not be published as it is; the message says why."""


class OutdatedError(Exception):
    """Our records, or the rules, are others than when the run was read: read the file again."""


@dataclass(frozen=True)
class Read:
    """What an extract comes to."""

    table: Table
    rows: list[ReadRow]
    plan: Plan
    holds: list[Hold]


def preview(
    register: Register, content: bytes, file_name: str, on: date, by: str, progress: Progress | None = None
) -> ImportRun | None:
    """Read an extract and write down what it says and would change; nothing of it is published.

    content: the file. on: the day whose state of the register it tells. by: who asks for it.
    Returns the run, held or not; None if the extract is published already and would change nothing.
    Raises RefusedFileError for a file that is not even looked at, ValueError for a day that is still to come.
    """
    if on > timezone.localdate():
        raise ValueError(f"The day {on} is still to come.")
    tell = progress or _say_nothing
    with _alone(register):
        extract, _ = Extract.objects.get_or_create(
            register=register.key,
            on=on,
            sha256=hashlib.sha256(content).hexdigest(),
            defaults={"file_name": file_name[:200], "content": content},
        )
        read = _read(register, extract, tell)
        published = extract.runs.filter(published_at__isnull=False, rules=register.rules)
        if not read.holds and read.plan.does_nothing and published.exists():
            return None
        tell("Writing down what was read ...")
        return write_down(register, extract, by, read.table, read.rows, read.plan, read.holds)


def publish(
    register: Register, run_id: int, by: str, release_reason: str = "", progress: Progress | None = None
) -> ImportRun:
    """Publish what a run would change, in one transaction.

    release_reason: why it is published although it is held; needed then, and no use if nothing could be read.
    Raises HeldError, OutdatedError; ValidationError or DatabaseError if a rule of ours forbids a record. In each case
    nothing is published.
    """
    with _alone(register):
        run = ImportRun.objects.select_related("extract").get(pk=run_id)
        if run.published_at:
            raise OutdatedError(f"Run {run.pk} is published already.")
        _check_holds(run, release_reason)
        read = _read(register, run.extract, progress or _say_nothing)
        if run.rules != register.rules or read.plan.digest() != run.digest:
            raise OutdatedError("Our records, rulings or rules have changed since the run was read: read it again.")
        if run.holds:
            run.released_by, run.release_reason = by, release_reason
        apply(register, run, read.plan, progress or _say_nothing)
        run.published_by, run.published_at = by, timezone.now()
        run.save()
    return run


def _check_holds(run: ImportRun, release_reason: str) -> None:
    if not run.holds:
        return
    sentences = " ".join(str(hold["sentence"]) for hold in run.holds)
    if not all(hold["is_releasable"] for hold in run.holds):
        raise HeldError(f"Run {run.pk} cannot be published: {sentences}")
    if not release_reason.strip():
        raise HeldError(f"Run {run.pk} is held: {sentences} Who publishes it all the same says why.")


def _read(register: Register, extract: Extract, tell: Progress) -> Read:
    tell("Reading the cells ...")
    try:
        table = read_table(bytes(extract.content))
    except FaultyFileError as fault:
        return Read(Table((), ()), [], Plan(), [Hold(fault.code, str(fault), False)])
    if found := holds.of_columns(register, table):
        return Read(Table(table.columns, ()), [], Plan(), found)
    rows = read_rows(register, table, extract.on, rulings(register))
    tell(f"Comparing {len(rows):,} rows with our records ...")
    found = holds.of_rows(register, rows, holds.unknown_words(rows))
    planned = plan(register.key, extract.on, {row.number: row.statement for row in rows})
    found += holds.of_plan(planned, extract.on)
    return Read(table, rows, planned, found)


@contextmanager
def in_turn(register: Register) -> Iterator[None]:
    """Have other runs of the register wait until the end of the block, so that what is read here can be published here."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [_lock(register)])
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [_lock(register)])


@contextmanager
def _alone(register: Register) -> Iterator[None]:
    """One transaction, in which no other run of the register is under way."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [_lock(register)])
        yield


def _lock(register: Register) -> str:
    return f"register {register.key}"


def _say_nothing(sentence: str) -> None:
    pass
