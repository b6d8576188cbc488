"""What keeps a run from being published: signs that the file, or our reading of it, is not what it seems."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from regulations.importers.extracts import ReadRow, misplaced_columns
from regulations.importers.files import Table
from regulations.importers.plans import Plan, State
from regulations.importers.readings import Outcome, Reason
from regulations.importers.statements import Register
from regulations.models import ImportRun

# More of the entries than this may not vanish at once.
MOST_VANISHING = 0.05
# A column more of whose filled cells are quarantined does not hold what its head says.
MOST_QUARANTINED = 0.5
# More of the entries than this do not change between two extracts (of nine real pairs, the largest share was 0.11).
MOST_CHANGING = 0.25
# Fewer than this tell nothing about shares.
FEW = 4


@dataclass(frozen=True)
class Hold:
    """Why a run is held. A person may release it, with a reason, unless nothing could be read."""

    code: str
    sentence: str
    is_releasable: bool = True

    def told(self) -> dict[str, object]:
        """As the run keeps it."""
        return {"code": self.code, "sentence": self.sentence, "is_releasable": self.is_releasable}


def of_columns(register: Register, table: Table) -> list[Hold]:
    """The holds that one can tell from the head and the number of rows; if there are any, no cell is read."""
    missing, unknown = misplaced_columns(register, table.columns)
    holds = []
    if missing:
        holds.append(Hold("columns_missing", f"The file lacks the columns {', '.join(missing)}.", False))
    if unknown:
        holds.append(Hold("columns_unknown", f"The file has columns that are not known: {', '.join(unknown)}.", False))
    if not table.rows and not register.may_be_empty:
        holds.append(Hold("empty", "The file has no rows.", False))
    return holds


def of_rows(register: Register, rows: Sequence[ReadRow], unknown: int) -> list[Hold]:
    """The holds that one can tell from the cells. unknown: how many have a word that is not known."""
    holds = [
        Hold("quarantined", f"Of {filled} filled cells of {column}, {put_aside} are quarantined.")
        for column, (filled, put_aside) in _by_column(rows).items()
        if filled >= FEW and put_aside > MOST_QUARANTINED * filled
    ]
    readings = [row.readings for row in rows]
    holds += [Hold("implausible", sanity.sentence) for sanity in register.sanities if sanity.is_broken(readings)]
    last = ImportRun.objects.filter(extract__register=register.key, published_at__isnull=False).first()
    if last and unknown > last.unknown_count:
        holds.append(
            Hold(
                "unknown_labels",
                f"{unknown} cells have words that are not known; the last run had {last.unknown_count}.",
            )
        )
    return holds


def of_plan(plan: Plan, on: date) -> list[Hold]:
    """The holds that one can tell from what would change, against the extract before."""
    before = max((day for day in plan.published if day <= on), default=None)
    listed = {pk for pk, seen in plan.seen_before.items() if seen == before}
    if not listed:
        return []
    vanished = listed - {pk for entries in plan.seen.values() for pk in entries}
    holds = []
    if len(vanished) > MOST_VANISHING * len(listed):
        holds.append(Hold("shrunk", f"Of the {len(listed)} entries of {before}, {len(vanished)} are not listed."))
    changing = sum(state == State.CHANGED for state, _ in plan.rows.values())
    if changing >= FEW and changing > MOST_CHANGING * len(listed):
        holds.append(Hold("mass_change", f"Of the {len(listed)} entries of {before}, {changing} would change at once."))
    waiting = sum(state == State.WAITING for state, _ in plan.rows.values())
    if waiting >= FEW and waiting > MOST_CHANGING * len(plan.rows):
        holds.append(Hold("strangers", f"Of {len(plan.rows)} rows, {waiting} agree with ours by half only."))
    return holds


def _by_column(rows: Iterable[ReadRow]) -> Mapping[str, tuple[int, int]]:
    """By column, how many cells are filled, and how many of these are quarantined."""
    filled: Counter[str] = Counter()
    put_aside: Counter[str] = Counter()
    for row in rows:
        for column, reading in row.readings.items():
            if row.cells[column].strip():
                filled[column] += 1
                put_aside[column] += reading.outcome == Outcome.QUARANTINED
    return {column: (filled[column], put_aside[column]) for column in filled}


def unknown_words(rows: Iterable[ReadRow]) -> int:
    """How many cells have a word that is not known."""
    return sum(reading.reason == Reason.UNKNOWN for row in rows for reading in row.readings.values())
