"""Which of our regulators a register means: by the home state and the authority's name, never by the name alone."""

from regulations.importers.cell_damage import sound
from regulations.importers.cell_rules import folded, required, spelled
from regulations.importers.esma import tables
from regulations.importers.esma.states import home_of
from regulations.importers.readings import Cell, Reading, Reason, Rule, normalised, quarantined

AUTHORITY = "authority/1"


def authority() -> Rule:
    """Our regulator's slug; a name that no authority of the row's home state has is not known."""

    def read(cell: Cell) -> Reading:
        key, state = tables.authority_key(cell.raw), home_of(cell.row)
        if not key:
            return spelled(cell, "")
        regulator = tables.authorities().get((state, key))
        if regulator:
            return normalised(regulator, AUTHORITY)
        written = folded(cell.raw)[:200]
        return quarantined(
            Reason.UNKNOWN, f"We know of no “{written}” in the home state {state or 'that is not said'}."
        )

    return required(sound(read))
