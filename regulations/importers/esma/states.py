"""How ESMA's registers write states: the home of a firm, the country of its LEI, the lists of passports."""

import re
from collections.abc import Mapping

from regulations.importers.cell_damage import sound
from regulations.importers.cell_rules import folded, required, spelled, word
from regulations.importers.esma import tables
from regulations.importers.readings import Cell, Reading, Reason, Rule, normalised, quarantined

HOME = "ae_homeMemberState"
LEI_COUNTRY = "ae_lei_cou_code"
COUNTRY = "country/1"
STATES = "states/1"
HOME_BY_LEI_COUNTRY = "home-by-lei-country/1"

# `|`, commas and spaces, and the capital i that some authorities write for `|`.
SEPARATOR = re.compile(r"[|;,\s]+(?:I[|;,\s]+)?")


def home() -> Rule:
    """The state of the EEA whose authority it is; where the cell is empty, that of the LEI's country."""
    by_code = required(word(tables.states(), COUNTRY, "states of the EEA"))

    def read(cell: Cell) -> Reading:
        state = "" if folded(cell.raw) else home_of(cell.row)
        return normalised(state, HOME_BY_LEI_COUNTRY) if state else by_code(cell)

    return read


def home_of(row: Mapping[str, str]) -> str:
    """The home state of a raw row, as `home` reads it; empty if it cannot."""
    written = folded(row.get(HOME, "")) or folded(row.get(LEI_COUNTRY, ""))
    return tables.states().get(written.casefold(), "")


def country() -> Rule:
    """The code of one country."""
    return word(tables.countries(), COUNTRY, "country codes")


def states() -> Rule:
    """The states of a list, each once and in its order; Greece is one, whether it is written EL or GR.

    Which of them is home is not asked: it stands in most lists and is left out of others.
    """

    def read(cell: Cell) -> Reading:
        written = [item for item in SEPARATOR.split(folded(cell.raw)) if item]
        unknown = [item for item in written if item.casefold() not in tables.states()]
        if unknown:
            return quarantined(Reason.UNKNOWN, f"No state of the EEA has the code {', '.join(unknown)[:200]}.")
        found = tuple(dict.fromkeys(tables.states()[item.casefold()] for item in written))
        return normalised(found, STATES) if found else spelled(cell, "")

    return sound(read)


def country_at_end(address: str) -> str:
    """The code of the state whose name the address ends with; empty if it ends with none that we know."""
    end = address.rstrip(" .,;\"'").casefold()
    names = sorted(tables.country_names(), key=len, reverse=True)
    name = next((name for name in names if re.search(rf"(?<![\w-]){re.escape(name)}$", end)), None)
    return tables.country_names()[name] if name else ""
