"""Report what is wrong or missing in the knowledge: `manage.py check_knowledge`."""

from collections.abc import Iterable
from datetime import date
from itertools import groupby

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Model, QuerySet
from django.utils import timezone

from regulations.models.checks import CHECKS, FAULTS, Check, Kind

EXAMPLES = 5
KEYS = ("key", "slug", "code")


class Command(BaseCommand):
    help = "Report faults, doubts and gaps in the knowledge, by kind and with counts."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--on", type=date.fromisoformat, help="The day that is asked about; today if not given.")
        parser.add_argument("--all", action="store_true", help="Name all records found, not only the first ones.")
        parser.add_argument("--strict", action="store_true", help="Exit with 1 if there is any fault.")

    def handle(self, *args: str, on: date | None, strict: bool, **options: bool) -> None:
        on = on or timezone.localdate()
        self.examples = None if options["all"] else EXAMPLES
        totals = {kind: self.report(kind, checks, on) for kind, checks in groupby(CHECKS, lambda check: check.kind)}
        faults = sum(totals[kind] for kind in FAULTS)
        told = f"{faults:,} faults, {totals[Kind.DOUBT]:,} doubts and {totals[Kind.GAP]:,} gaps, as of {on}."
        if strict and faults:
            raise CommandError(told)
        self.stdout.write(f"\n{told}")

    def report(self, kind: Kind, checks: Iterable[Check], on: date) -> int:
        """Print what the checks of one kind find; return how much it is."""
        self.stdout.write(f"\n{kind.label}")
        return sum(self.report_check(check, on) for check in checks)

    def report_check(self, check: Check, on: date) -> int:
        found = list(_with_names(check.find(on)))
        self.stdout.write(f"{len(found):>7,}  {check.about}")
        if found:
            names = sorted(_name(record) for record in found)
            more = ", …" if self.examples and len(names) > self.examples else ""
            self.stdout.write(f"         {', '.join(names[: self.examples])}{more}")
        return len(found)


def _with_names(found: Iterable[Model]) -> Iterable[Model]:
    """What was found, with the related records by which rows without a key are named, in the same query."""
    if not isinstance(found, QuerySet) or _has_key(found.model):
        return found
    return found.select_related(*(field.name for field in found.model._meta.fields if field.is_relation))


def _has_key(model: type[Model]) -> bool:
    return any(field.name in KEYS for field in model._meta.fields)


def _name(record: Model) -> str:
    """The record's natural key, or what it says of itself."""
    keys = (getattr(record, name, None) for name in KEYS)
    return next((key for key in keys if key), None) or str(record)
