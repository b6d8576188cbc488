"""What the registers say of white papers: where they are, and of which tokens."""

import re
from collections.abc import Iterable
from datetime import date

from regulations.importers.cell_addresses import addresses
from regulations.importers.cell_damage import sound
from regulations.importers.cell_rules import folded, spelled
from regulations.importers.esma import tables
from regulations.importers.esma.firms import Said
from regulations.importers.readings import Cell, Reading, Reason, Rule, kept, normalised, quarantined
from regulations.importers.statements import Firm, Kind, Thing
from regulations.models import Source

TOKENS = "tokens/1"
LONGEST_TITLE = 400
SEPARATOR = re.compile(r"[|;,\s]+(?:I[|;,\s]+)?")
# ISO 24165-1: digits and consonants, Y left out, too.
TOKEN = re.compile(r"[0-9B-DF-HJ-NP-TV-XZ]{9}")


def papers() -> Rule:
    """Addresses of white papers, or the word that there is none, which is kept."""
    read_addresses = addresses()

    def read(cell: Cell) -> Reading:
        is_none = folded(cell.raw).casefold() in tables.placeholders("no_white_paper") - tables.placeholders()
        return kept(cell) if is_none else read_addresses(cell)

    return read


def tokens(most: int = 1000) -> Rule:
    """Digital token identifiers (ISO 24165), each once and in its order; `most` of them at most."""

    def read(cell: Cell) -> Reading:
        written = list(dict.fromkeys(item for item in SEPARATOR.split(folded(cell.raw)) if item))
        wrong = [item for item in written if not TOKEN.fullmatch(item)]
        if wrong:
            return quarantined(Reason.MALFORMED, f"No digital token identifier (ISO 24165): {', '.join(wrong)[:200]}.")
        if len(written) > most:
            return quarantined(Reason.MALFORMED, f"There are {len(written)} identifiers where {most} belongs.")
        return normalised(tuple(written), TOKENS) if written else spelled(cell, "")

    return sound(read)


def paper_things(
    firm: Firm, found: Iterable[str], published_on: date | None = None, others: tuple[Firm, ...] = ()
) -> list[Thing]:
    """The white papers at these addresses. The registers tell no titles: the title names whose they are."""
    fields: dict[str, Said] = {
        "title": f"White paper: {firm.name}"[:LONGEST_TITLE],
        "kind": Source.Kind.WHITE_PAPER.value,
        **({"published_on": published_on} if published_on else {}),
    }
    return [Thing(Kind.WHITE_PAPER, {**fields, "url": url}, apart=url, others=others) for url in found]
