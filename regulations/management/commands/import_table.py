"""Bring in a spreadsheet of an editor: `manage.py import_table companies FILE [--publish --reason WHY]`."""

from pathlib import Path

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, transaction
from django.utils import timezone

from regulations.importers.faults import Fault, RefusedError
from regulations.importers.files import FaultyFileError, RefusedFileError
from regulations.importers.sheet_columns import shape_of
from regulations.importers.sheet_storing import Difference, Told, apply
from regulations.importers.spreadsheets import read_file, read_sheet
from regulations.models import Change

KINDS = [Change.Kind.CORRECTION.value, Change.Kind.WORLD.value, Change.Kind.EDITORIAL.value]
LONGEST_REASON = 500
MOST_SHOWN = 50


class Command(BaseCommand):
    help = "Show what a spreadsheet (CSV or XLSX) of one collection would add and change; --publish writes it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("collection", help="Which records it holds, such as companies.")
        parser.add_argument("file", type=Path, help="The CSV or XLSX file, whose first row names the fields.")
        parser.add_argument("--sheet", default="", help="Which sheet of a workbook, if it has several.")
        parser.add_argument("--publish", action="store_true", help="Write it, all or nothing; needs --reason.")
        parser.add_argument("--reason", default="", help="Why: history tells it to readers.")
        parser.add_argument("--kind", choices=KINDS, default=KINDS[0], help="What kind of change it is.")
        parser.add_argument("--by", default="import_table", help="Who brings it in, and has read its sources.")
        parser.add_argument("--all", action="store_true", help="Show all that would change, not only the first.")

    def handle(self, *args: str, publish: bool, reason: str, verbosity: int, **options: object) -> None:
        if publish and not reason.strip():
            raise CommandError("Say why with --reason: history tells it to readers.")
        if len(reason) > LONGEST_REASON:
            raise CommandError(f"The reason has {len(reason)} characters; {LONGEST_REASON} are room enough.")
        try:
            told = self.imported(publish, reason, options)
        except RefusedError as refused:
            raise CommandError(_refusal(refused)) from refused
        except (RefusedFileError, FaultyFileError, ValueError, DatabaseError) as error:
            raise CommandError(f"Nothing was written. {error}") from error
        if verbosity:
            self.show(told, None if options["all"] else MOST_SHOWN)
        self.stdout.write(_sentence(told, publish))

    def imported(self, is_published: bool, reason: str, options: dict[str, object]) -> Told:
        """Read the file and write it; without publishing what was written is taken back."""
        shape, file = shape_of(str(options["collection"])), Path(str(options["file"]))
        faults: list[Fault] = []
        table = read_file(file, str(options["sheet"]), faults)
        kind, by = Change.Kind(str(options["kind"])), str(options["by"])
        with transaction.atomic():
            rows = read_sheet(shape, table, file.name, faults)
            told = apply(shape, rows, by=by, kind=kind, reason=reason, today=timezone.localdate())
            transaction.set_rollback(not is_published)
        return told

    def show(self, told: Told, most: int | None) -> None:
        """Field by field, what is added and changed; and which records rest on nothing."""
        lines = [_line("add", key, each) for key, fields in told.added.items() for each in fields]
        lines += [_line("change", key, each) for key, fields in told.changed.items() for each in fields]
        lines += [f"uncited: {key} names no source" for key in told.uncited]
        for line in lines[:most]:
            self.stdout.write(line)
        if most and len(lines) > most:
            self.stdout.write(f"... and {len(lines) - most:,} more lines; --all shows them.")


def _line(action: str, key: str, each: Difference) -> str:
    return f"{action}: {key}: {each.field}: “{each.before}” → “{each.after}”"


def _refusal(refused: RefusedError) -> str:
    count = len(refused.faults)
    head = f"Nothing was written: {count} fault{'s' if count > 1 else ''}."
    return "\n".join([head, *(f"  {fault}" for fault in refused.faults)])


def _sentence(told: Told, is_published: bool) -> str:
    counts = (
        f"{len(told.added):,} added, {len(told.changed):,} changed, {told.unchanged_count:,} unchanged; "
        f"{told.cited_count:,} citations added, {len(told.uncited):,} added records without a source"
    )
    return (
        f"Written: {counts}." if is_published else f"Would write: {counts}. Nothing was written; --publish writes it."
    )
