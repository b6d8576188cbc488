"""How a legal entity identifier is read (ISO 17442): never repaired, at most proposed."""

import re
from collections.abc import Iterator

from django.core.exceptions import ValidationError

from regulations.importers.cell_damage import sound
from regulations.importers.cell_rules import folded, spelled
from regulations.importers.readings import Cell, Reading, Reason, Rule, kept, normalised, quarantined
from regulations.models.companies import validate_lei

LEI = "lei/1"
FORM = re.compile(r"[0-9A-Z]{18}[0-9]{2}")
# What is mistaken for what in a LEI that was typed off, or read by a machine.
LOOK_ALIKES = {"O": "0", "0": "OQ", "Q": "0", "I": "1", "1": "IL", "L": "1", "S": "5", "5": "S", "B": "8", "8": "B"}
LOOK_ALIKES |= {"Z": "2", "2": "Z", "G": "6", "6": "G"}


def lei() -> Rule:
    """A LEI; spaces around it and a dot at its end are taken off."""
    return sound(_read)


def _read(cell: Cell) -> Reading:
    written = folded(cell.raw)
    bare = written.rstrip(". ")
    if not written:
        return spelled(cell, "")
    if is_lei(bare):
        return kept(cell) if bare == cell.raw else normalised(bare, LEI)
    return _refused(bare)


def is_lei(written: str) -> bool:
    """Whether it has the form and the check digits of a LEI."""
    try:
        validate_lei(written)
    except ValidationError:
        return False
    return True


def _refused(written: str) -> Reading:
    meant = {candidate for candidate in _candidates(written) if is_lei(candidate)} if len(written) < 40 else set()
    proposal = meant.pop() if len(meant) == 1 else ""
    if FORM.fullmatch(written):
        return quarantined(Reason.CHECK_DIGITS, "The check digits of this LEI are wrong (ISO 17442).", proposal)
    return quarantined(Reason.MALFORMED, "A LEI has 20 characters, capital letters A to Z and digits.", proposal)


def _candidates(written: str) -> Iterator[str]:
    """What can be meant by it: one look-alike exchanged, one character too many, small letters, spaces within."""
    yield "".join(written.split()).upper()
    for place, character in enumerate(written):
        yield written[:place] + written[place + 1 :]
        for other in LOOK_ALIKES.get(character, ""):
            yield written[:place] + other + written[place + 1 :]
