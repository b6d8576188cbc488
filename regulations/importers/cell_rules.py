"""Rules by which the cells of any register can be read: texts, names, days, words of a table.

Each is a function that makes a `Rule`. What it does has a name with a version, under which the reading is stored: who
changes what a rule makes of a cell gives it the next number.
"""

import re
from collections.abc import Collection, Mapping
from datetime import date

from regulations.importers.cell_damage import sound
from regulations.importers.readings import Cell, Outcome, Reading, Reason, Rule, Value, kept, normalised, quarantined

SPACES = "spaces/1"
NOTHING = "nothing/1"
NAMES = "names/1"
DAY = "day/1"

# Zero-width space, soft hyphen, word joiner, byte order mark: nobody sees them, and names do not match by them.
INVISIBLE = dict.fromkeys(map(ord, "\u200b\u00ad\u2060\ufeff"))
# `?` within a word stands where a letter was lost, but in an address.
LOST_LETTER = re.compile(r"(?<![^\s])[^\s/]*[^\W\d_]\?[^\W\d_][^\s/]*(?![^\s])")
DAY_FORM = re.compile(r"(\d{2})/(\d{2})/(\d{4})")
ISO_FORM = re.compile(r"(\d{4})-(\d{2})-(\d{2})")


def folded(raw: str) -> str:
    """The text with each run of spaces, of whatever sort, as one space, and none around it."""
    return " ".join(raw.translate(INVISIBLE).split())


def listed(raw: str) -> list[str]:
    """The items of a cell that `|` or line breaks part, folded; empty ones left out."""
    return [item for part in re.split(r"[|\r\n]", raw) if (item := folded(part))]


def spelled(cell: Cell, value: str) -> Reading:
    """The cell's text with its spaces folded, kept if there was nothing to fold."""
    return kept(cell) if value == cell.raw else normalised(value or None, SPACES)


def text(longest: int = 10_000) -> Rule:
    """A text, with its spaces folded."""

    def read(cell: Cell) -> Reading:
        value = folded(cell.raw)
        return _unfit(value, longest) or spelled(cell, value)

    return sound(read)


def names(longest: int = 200) -> Rule:
    """Names that `|` or line breaks part, each once, in their order."""

    def read(cell: Cell) -> Reading:
        found = tuple(dict.fromkeys(listed(cell.raw)))
        unfit = next(filter(None, (_unfit(name, longest) for name in found)), None)
        return unfit or (normalised(found, NAMES) if found else spelled(cell, ""))

    return sound(read)


def required(rule: Rule) -> Rule:
    """The rule, for a column that has to say something."""

    def read(cell: Cell) -> Reading:
        reading = rule(cell)
        if reading.value is None and reading.outcome != Outcome.QUARANTINED:
            return quarantined(Reason.MISSING, "This column must not be empty.")
        return reading

    return read


def or_nothing(rule: Rule, placeholders: Collection[str]) -> Rule:
    """The rule, for a column in which words such as `n/a` stand for nothing. `placeholders`: folded, in small letters."""

    def read(cell: Cell) -> Reading:
        return normalised(None, NOTHING) if folded(cell.raw).casefold() in placeholders else rule(cell)

    return read


def word(table: Mapping[str, Value], name: str, meant: str) -> Rule:
    """One word of the table, whatever its case.

    table: what each word means, by the word in small letters. name: the rule's. meant: what the words are, in words.
    """

    def read(cell: Cell) -> Reading:
        key = folded(cell.raw).casefold()
        if key and key not in table:
            return quarantined(Reason.UNKNOWN, f"“{folded(cell.raw)[:100]}” is not one of the known {meant}.")
        if not key or table[key] == cell.raw:
            return spelled(cell, folded(cell.raw))
        return normalised(table[key], name)

    return sound(read)


def day(not_before: str = "") -> Rule:
    """A day as DD/MM/YYYY, not after the day of the extract, nor before that of the column `not_before`."""

    def read(cell: Cell) -> Reading:
        written = folded(cell.raw)
        if not written:
            return spelled(cell, "")
        read_day = as_day(written)
        if read_day is None:
            return quarantined(Reason.MALFORMED, "This is no day as DD/MM/YYYY.", _clean_day(written, cell.day))
        return _impossible_day(read_day, cell, not_before) or normalised(read_day, DAY)

    return sound(read)


def as_day(written: str) -> date | None:
    """The day that is written as DD/MM/YYYY; None if none is."""
    form = DAY_FORM.fullmatch(written)
    return _possible_day(*map(int, form.groups()[::-1])) if form and written.isascii() else None


def _impossible_day(read_day: date, cell: Cell, not_before: str) -> Reading | None:
    if read_day > cell.day:
        turned = _possible_day(read_day.year, read_day.day, read_day.month)
        proposal = f"{turned:%d/%m/%Y}" if turned and turned <= cell.day else ""
        return quarantined(Reason.IN_FUTURE, f"This is after the day of the extract, {cell.day}.", proposal)
    earliest = as_day(folded(cell.row.get(not_before, "")))
    if earliest and earliest <= cell.day and read_day < earliest:
        return quarantined(Reason.CONTRADICTORY, f"This is before {not_before}, {earliest}.")
    return None


def _clean_day(written: str, latest: date) -> str:
    """The one day that can be meant, as DD/MM/YYYY: written as ISO 8601 does, or with stray signs within."""
    iso = ISO_FORM.fullmatch(written)
    digits = "/".join(iso.groups()[::-1]) if iso else re.sub(r"[^0-9/]", "", written)
    meant = as_day(digits)
    return digits if meant and meant <= latest else ""


def _possible_day(year: int, month: int, number: int) -> date | None:
    try:
        return date(year, month, number) if year >= 1900 else None
    except ValueError:
        return None


def _unfit(value: str, longest: int) -> Reading | None:
    if len(value) > longest:
        return quarantined(Reason.MALFORMED, f"This is longer than {longest} characters.")
    if LOST_LETTER.search(value):
        return quarantined(Reason.DAMAGED, "A question mark stands where a letter was.")
    return None
