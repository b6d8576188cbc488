"""Load the knowledge from its files: `manage.py load_knowledge [FOLDER]`."""

import time
from collections.abc import Iterable
from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection, transaction

from regulations.importers.faults import RefusedError
from regulations.importers.knowledge import load
from regulations.importers.storing import Changes

# Loads that are over sooner need no progress.
PATIENCE = 2.0


class Command(BaseCommand):
    help = "Bring the base in line with the YAML files of a folder, all or nothing. Can be run again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "folder",
            nargs="?",
            type=Path,
            default=settings.BASE_DIR / "fixtures",
            help="The folder with the files; fixtures/ if not given.",
        )
        parser.add_argument(
            "--dry-run",
            action="store_true",
            help="Check everything and say what would change, but change nothing.",
        )

    def handle(self, *args: str, folder: Path, dry_run: bool, verbosity: int, **options: object) -> None:
        self.verbosity = verbosity
        self.started = time.monotonic()
        try:
            with transaction.atomic():
                changes = load(folder, self.show)
                transaction.set_rollback(dry_run)
        except RefusedError as refused:
            raise CommandError(_refusal(refused)) from refused
        if not dry_run:
            analyse()
        seconds = time.monotonic() - self.started
        head = "Would load" if dry_run else "Loaded"
        if verbosity:
            self.stdout.write(f"{head} {_sentence(changes)} in {seconds:.1f} s.")

    def show(self, kind: str, count: int) -> None:
        """Say how far a long load has come."""
        if self.verbosity and time.monotonic() - self.started > PATIENCE:
            self.stdout.write(f"  {count:>6} {kind.replace('_', ' ')}")


def analyse() -> None:
    """Let PostgreSQL count the rows: plans are made once, and not for the empty tables of a minute ago.

    Outside of a larger transaction also note which pages all can see: indexes alone then answer counts and keysets.
    """
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE" if connection.in_atomic_block else "VACUUM (ANALYZE)")


def _refusal(refused: RefusedError) -> str:
    count = len(refused.faults)
    head = f"Nothing was loaded: {count} fault{'s' if count > 1 else ''}."
    return "\n".join([head, *(f"  {fault}" for fault in refused.faults)])


def _sentence(changes: Iterable[Changes]) -> str:
    counts = {
        word: sum(getattr(change, word) for change in changes) for word in ("added", "changed", "removed", "unchanged")
    }
    told = ", ".join(f"{count:,} {word}" for word, count in counts.items())
    total = sum(count for word, count in counts.items() if word != "removed")
    return f"{total:,} rows: {told}"
