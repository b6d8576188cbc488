"""Check our legal entity identifiers against GLEIF's golden copy: `manage.py check_leis FILE [--publish]`."""

from collections import Counter
from datetime import date
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils import timezone

from regulations.importers.files import FaultyFileError, RefusedFileError
from regulations.importers.gleif import Sifted, day_of, sift
from regulations.importers.identity import fold
from regulations.importers.lei_checks import check, publish
from regulations.importers.leis import Checked, Outcome, Wanted, wanted

# So that what needs a person stands last, where it is read.
ORDER = list(Outcome)


class Command(BaseCommand):
    help = "Confirm and complete our companies by the golden copy of GLEIF (CSV). Without --publish nothing is written."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="The golden copy's LEI file, unzipped: comma-separated values.")
        parser.add_argument(
            "--on", type=date.fromisoformat, help="The golden copy's day (2026-02-09); else as its name begins."
        )
        parser.add_argument("--publish", action="store_true", help="Write what the check comes to, all or nothing.")

    def handle(self, *args: str, file: Path, on: date | None, publish: bool, verbosity: int, **options: object) -> None:
        self.verbosity = verbosity
        day = on or day_of(file.name)
        if day is None:
            raise CommandError("Of which day is the golden copy? Say it with --on 2026-02-09.")
        if day > timezone.localdate():
            raise CommandError(f"The day {day} is still to come.")
        asked = wanted()
        sifted = self.read(file, asked)
        with transaction.atomic():
            checked, written = self.check(asked, sifted, day, publish)
        self.report(checked)
        self.stdout.write(_sentence(sifted, checked, written, publish))

    def read(self, file: Path, asked: Wanted) -> Sifted:
        """What of the file is asked for; a sentence for a file that is no golden copy."""
        if not file.is_file():
            raise CommandError(f"There is no file {file}.")
        try:
            with file.open("rb") as stream:
                return sift(stream, asked.leis, asked.nameless, fold, self.tell)
        except (RefusedFileError, FaultyFileError) as wrong:
            raise CommandError(f"Nothing was checked. {wrong}") from wrong

    def check(self, asked: Wanted, sifted: Sifted, day: date, is_published: bool) -> tuple[Checked, int]:
        """What the check comes to, and how many companies were written to."""
        checked = check(asked, sifted, day)
        return checked, publish(checked, day) if is_published else 0

    def tell(self, sentence: str) -> None:
        """Say how far the reading has come."""
        if self.verbosity:
            self.stdout.write(sentence)

    def report(self, checked: Checked) -> None:
        """Each finding on a line, but those that only confirm unless more is asked for."""
        for each in sorted(checked.findings, key=lambda each: (ORDER.index(each.outcome), each.about)):
            if self.verbosity > 1 or (self.verbosity and each.outcome != Outcome.CONFIRMED):
                self.stdout.write(f"{each.outcome}: {each.about}: {each.sentence}")


def _sentence(sifted: Sifted, checked: Checked, written: int, is_published: bool) -> str:
    counts = Counter(each.outcome for each in checked.findings)
    told = ", ".join(f"{counts[outcome]:,} {outcome}" for outcome in Outcome)
    head = f"{sifted.row_count:,} rows read, {len(sifted.by_lei):,} with a LEI that we ask for: {told}."
    end = f"Companies written to: {written:,}; cells ruled on: {len(checked.rulings):,}."
    return f"{head} {end if is_published else 'Nothing was written; --publish writes it.'}"
