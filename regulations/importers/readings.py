"""How a cell of a register is read: kept as it is, normalised by a named rule, or quarantined with its reason.

No rule makes up a character that stands neither in the cell nor in a named table; what it cannot read it quarantines.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from regulations.models import ImportCell

Outcome = ImportCell.Outcome
Reason = ImportCell.Reason

# What a cell means: text, a day, several keys or addresses in the cell's order, a truth; None where it says nothing.
Value = str | date | tuple[str, ...] | bool | None


@dataclass(frozen=True)
class Cell:
    """A cell as it came. `row` has all raw cells of its row by column; `day` is that of the extract."""

    column: str
    raw: str
    row: Mapping[str, str]
    day: date


@dataclass(frozen=True)
class Reading:
    """How a cell ended.

    value: what it means. rule: the name and version of the rule that normalised it, such as `spaces/1`.
    reason, explanation: why it is quarantined. proposal: the one clean cell that can be meant, if there is exactly one.
    raw: the cell itself, which tells rows apart even if it cannot be read; the frame fills it in.
    """

    outcome: Outcome
    value: Value = None
    rule: str = ""
    reason: Reason | None = None
    explanation: str = ""
    proposal: str = ""
    raw: str = ""


Rule = Callable[[Cell], Reading]


def kept(cell: Cell) -> Reading:
    """The cell means what it says; an empty one says nothing."""
    return Reading(Outcome.KEPT, cell.raw or None)


def normalised(value: Value, rule: str) -> Reading:
    """The cell means `value`, by the rule of this name and version. A value that is the cell itself is to be `kept`."""
    return Reading(Outcome.NORMALISED, value, rule)


def quarantined(reason: Reason, explanation: str, proposal: str = "") -> Reading:
    """The cell is put aside: a person reads why, and what can be meant if that is one thing only."""
    return Reading(Outcome.QUARANTINED, None, "", reason, explanation, proposal)
