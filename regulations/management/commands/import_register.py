"""Import an extract of an official register: `manage.py import_register esma-casp FILE [--publish]`."""

from datetime import date
from pathlib import Path

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from regulations.importers.files import RefusedFileError, day_in, read_bytes
from regulations.importers.registers import REGISTERS
from regulations.importers.runs import HeldError, OutdatedError, in_turn, preview, publish
from regulations.importers.statements import Register
from regulations.models import ImportCell, ImportChange, ImportRow, ImportRun

MOST_SHOWN = 20


class Command(BaseCommand):
    help = "Read an extract of a register, show what it would change, and publish that with --publish."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("register", choices=sorted(REGISTERS), help="Which register the file is of.")
        parser.add_argument("file", type=Path, help="The file as the register published it.")
        parser.add_argument(
            "--on", type=date.fromisoformat, help="The day of the extract; that in the file's name if not given."
        )
        parser.add_argument("--publish", action="store_true", help="Publish what the run would change.")
        parser.add_argument("--release", default="", metavar="REASON", help="Why a held run is published all the same.")
        parser.add_argument("--by", default="import_register", help="Who imports it.")
        parser.add_argument("--all", action="store_true", help="Show all that would change, not only the first.")

    def handle(self, *args: str, register: str, file: Path, on: date | None, **options: object) -> None:
        self.most = None if options["all"] else MOST_SHOWN
        self.verbosity = options["verbosity"]
        try:
            with in_turn(REGISTERS[register]):
                sentence = self.imported(REGISTERS[register], file, on or day_of(file), options)
        except (RefusedFileError, HeldError, OutdatedError, ValueError, ValidationError, DatabaseError) as error:
            raise CommandError(f"Nothing was published. {_words(error)}") from error
        self.stdout.write(sentence)

    def imported(self, register: Register, file: Path, on: date, options: dict[str, object]) -> str:
        """Read, show and, if asked for, publish; return how it ended in one sentence."""
        run = preview(register, read_bytes(file), file.name, on, str(options["by"]), self.tell)
        if run is None:
            return f"This extract of {register.key} is published already, and nothing would change."
        self.show(run)
        if options["publish"]:
            publish(register, run.pk, str(options["by"]), str(options["release"]), self.tell)
            return f"Published {run}: {_counted(run)}."
        if run.holds:
            raise HeldError(f"Run {run.pk} is held: {' '.join(hold['sentence'] for hold in run.holds)}")
        return f"Read {run}, and published nothing: {_counted(run)}."

    def tell(self, sentence: str) -> None:
        if self.verbosity:
            self.stderr.write(sentence)

    def show(self, run: ImportRun) -> None:
        """The preview: cells, rows that need a person, and field by field what would change."""
        self.stdout.write(
            f"{run.cell_count:,} cells = {run.kept_count:,} kept + {run.normalised_count:,} normalised"
            f" + {run.quarantined_count:,} quarantined"
        )
        for hold in run.holds:
            self.stdout.write(f"HELD: {hold['sentence']}")
        quarantined = ImportCell.objects.filter(row__run=run, outcome=ImportCell.Outcome.QUARANTINED)
        self.list_some("Quarantined", [_cell(cell) for cell in quarantined.select_related("row").order_by("pk")])
        needing = run.rows.filter(state__in=[ImportRow.State.WAITING, ImportRow.State.SET_ASIDE])
        self.list_some("Rows left to a person", [f"row {row.number}: {row.note}" for row in needing])
        self.list_some("Changes", [_change(each) for each in run.changes.select_related("row")])

    def list_some(self, title: str, lines: list[str]) -> None:
        if lines:
            self.stdout.write(f"\n{title} ({len(lines):,})")
        for line in lines[: self.most]:
            self.stdout.write(f"  {line}")
        if self.most and len(lines) > self.most:
            self.stdout.write(f"  … and {len(lines) - self.most:,} more; --all shows them.")


def day_of(file: Path) -> date:
    """The day in the file's name. Raises ValueError if there is none, or more than one."""
    if day := day_in(file.name):
        return day
    raise ValueError(f"The name {file.name} tells no day: say with --on of which day the extract is.")


def _cell(cell: ImportCell) -> str:
    proposal = f" Is “{cell.proposal}” meant?" if cell.proposal else ""
    return f"row {cell.row.number}, {cell.column}: {cell.raw[:80]!r} – {cell.explanation}{proposal}"


def _change(each: ImportChange) -> str:
    fields = "; ".join(f"{name}: {_short(before)} → {_short(after)}" for name, (before, after) in each.fields.items())
    where = f"row {each.row.number}" if each.row else "not listed"
    return f"{each.get_action_display()} {each.kind} {each.record} ({where}): {fields}"


def _short(value: object) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return "nothing" if value in (None, "", []) else text if len(text) < 100 else f"{text[:97]}..."


def _counted(run: ImportRun) -> str:
    states = [row.state for row in run.rows.all()]
    told = ", ".join(
        f"{states.count(state.value):,} {state.label.lower()}" for state in ImportRow.State if state.value in states
    )
    return f"{run.row_count:,} rows ({told}), {run.quarantined_count:,} cells quarantined"


def _words(error: Exception) -> str:
    if isinstance(error, ValidationError):
        return " ".join(error.messages)
    return str(error)
