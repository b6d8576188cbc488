"""What no cell may hold, whatever its column: damaged letters, hidden marks, formulas of a spreadsheet."""

import re
from dataclasses import replace
from functools import wraps

from regulations.importers.readings import Cell, Outcome, Reading, Reason, Rule, quarantined

# U+FFFD stands where a letter was lost; control characters, private and hidden direction marks where none belongs.
LOST = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ue000-\uf8ff\ufffd-\uffff]")
# What spreadsheets calculate: they take a cell that begins so for a formula (OWASP, CSV injection).
FORMULA = re.compile(r"[=@]|[+-](?:[^\W\d_]|\()")
NOT_ASCII = re.compile("[^\x00-\x7f]+")
# Letters and signs of European texts: what a mistaken decoding comes back to. Anything else is a coincidence.
EUROPEAN = re.compile("[\u00a0-\u017f\u0370-\u052f\u1e00-\u1eff\u2010-\u2044\u20ac\u2122]+")


def sound(rule: Rule) -> Rule:
    """The rule, for sound cells only: a damaged one or a formula is quarantined before it is asked.

    What is proposed is what the rule itself can read; any other proposal is dropped.
    """

    def outcome(cell: Cell) -> Reading:
        return _damage(cell.raw) or rule(cell)

    @wraps(rule)
    def read(cell: Cell) -> Reading:
        reading = outcome(cell)
        if reading.proposal and outcome(replace(cell, raw=reading.proposal)).outcome == Outcome.QUARANTINED:
            return replace(reading, proposal="")
        return reading

    return read


def _damage(raw: str) -> Reading | None:
    if FORMULA.match(raw.strip()):
        return quarantined(Reason.FORMULA, "It begins like a formula of a spreadsheet.")
    if LOST.search(raw):
        return quarantined(Reason.DAMAGED, "A letter was lost, or a mark stands in it that no text has.")
    mended = NOT_ASCII.sub(lambda run: _decoded(run.group()), raw)
    if mended != raw:
        return quarantined(Reason.DAMAGED, "UTF-8 that was read as Windows-1252.", mended)
    return None


def _decoded(run: str) -> str:
    """The run as it was before UTF-8 was read as Windows-1252; the run itself if it was not."""
    try:
        decoded = run.encode("cp1252").decode()
    except UnicodeError:
        return run
    return decoded if EUROPEAN.fullmatch(decoded) else run
