"""What a whole extract must be like for its columns to hold what their heads say.

Each cell of a column may be of the right form in the wrong column: two columns of days, of names, of addresses. What
tells them apart is how they stand to each other. Each function makes one such test.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from urllib.parse import urlsplit

from regulations.importers.cell_addresses import ADDRESS as ADDRESS_FORM
from regulations.importers.esma.states import HOME_BY_LEI_COUNTRY
from regulations.importers.readings import Outcome, Reading, Reason
from regulations.importers.statements import Sanity

Rows = Sequence[Mapping[str, Reading]]

# Names that end so are of a firm in a company register, not of a brand.
LEGAL_FORM = re.compile(
    r"(?<!\w)(?:gmbh|mbh|ag|se|eg|kg|kgaa|b\.? ?v|n\.? ?v|ltd|limited|plc|inc|llc|s\.? ?a|s\.? ?l|s\.? ?a\.? ?s|sasu"
    r"|sarl|s\.? ?r\.? ?l|s\.? ?r\.? ?o|d\.? ?o\.? ?o|d\.? ?d|j\. ?s\. ?a|oy|ab|a/s|aps|uab|sia|ood|ead|aktiengesellschaft)(?!\w)",
    re.IGNORECASE,
)
# What stands in other columns: an address, a day, a code.
NO_SENTENCE = re.compile(rf"^(?:(?i:{ADDRESS_FORM.pattern})|[0-9/.-]{{8,10}}|[A-Z]{{2}}|[0-9A-Z]{{9}}|[0-9A-Z]{{20}})$")
# More rows than this do not have their days in the wrong order.
MOST_DISORDERED = 0.1
# More names than this for each LEI are not of its holder.
MOST_NAMES = 1.5


def filled(*columns: str) -> Sanity:
    """Columns that must not be empty are filled in half of the rows at least."""

    def is_broken(rows: Rows) -> bool:
        return any(_missing(rows, column) * 2 > len(rows) for column in columns)

    return Sanity(f"Of {' or '.join(columns)}, more than half is empty.", is_broken)


def readable(*columns: str, few: int = 2) -> Sanity:
    """Of columns with few filled cells, half at least can be read, as soon as `few` cannot."""

    def is_broken(rows: Rows) -> bool:
        return any(_is_unreadable([row[column] for row in rows if _says(row[column])], few) for column in columns)

    return Sanity(f"Of {' or '.join(columns)}, more than half cannot be read.", is_broken)


def fuller(column: str, than: str) -> Sanity:
    """One column is filled as often as the other at least."""

    def is_broken(rows: Rows) -> bool:
        return _filled(rows, column) < _filled(rows, than)

    return Sanity(f"{column} is empty more often than {than}: are they swapped?", is_broken)


def homes(home: str, lei_country: str) -> Sanity:
    """Home states are not read off the countries of LEIs more often than such a country is not said."""

    def is_broken(rows: Rows) -> bool:
        by_lei_country = _count(rows, lambda row: row[home].rule == HOME_BY_LEI_COUNTRY)
        return by_lei_country > len(rows) - _filled(rows, lei_country)

    return Sanity(f"{home} is empty more often than {lei_country}: are they swapped?", is_broken)


def in_order(first: str, second: str, most: float = MOST_DISORDERED) -> Sanity:
    """The days of one column are after those of the other in the same row in no larger share of the rows than `most`."""

    def is_broken(rows: Rows) -> bool:
        disordered = _count(rows, lambda row: _is_disordered(row[first], row[second]))
        return disordered > max(1, most * len(rows))

    return Sanity(f"{second} is before {first} in more than {most:.0%} of the rows: are they swapped?", is_broken)


def legal_forms(legal: str, commercial: str) -> Sanity:
    """Legal names have legal forms as often as commercial names at least."""

    def is_broken(rows: Rows) -> bool:
        return _matching(rows, legal, LEGAL_FORM) < _matching(rows, commercial, LEGAL_FORM)

    return Sanity(f"{commercial} has legal forms more often than {legal}: are they swapped?", is_broken)


def house_numbers(address: str, name: str) -> Sanity:
    """Addresses have digits as often as names at least."""
    digit = re.compile(r"\d")

    def is_broken(rows: Rows) -> bool:
        return _matching(rows, address, digit) < _matching(rows, name, digit)

    return Sanity(f"{name} has house numbers more often than {address}: are they swapped?", is_broken)


def paths(paper: str, site: str) -> Sanity:
    """Addresses of papers lead into a site as often as those of the sites themselves at least."""

    def is_broken(rows: Rows) -> bool:
        return _count(rows, lambda row: _has_path(row[paper])) < _count(rows, lambda row: _has_path(row[site]))

    return Sanity(f"{site} leads to single pages more often than {paper}: are they swapped?", is_broken)


def one_name_each(name: str, lei: str) -> Sanity:
    """A LEI stands with one name, or hardly more."""

    def is_broken(rows: Rows) -> bool:
        pairs = {
            (row[lei].value, str(row[name].value).casefold()) for row in rows if row[lei].value and row[name].value
        }
        leis = {number for number, _ in pairs}
        return len(leis) > 1 and len(pairs) > MOST_NAMES * len(leis)

    return Sanity(f"Many of {lei} stand with several of {name}: they are those of others.", is_broken)


def named(name: str, lei: str) -> Sanity:
    """Half of the LEIs at least have a name beside them."""

    def is_broken(rows: Rows) -> bool:
        numbered = [row for row in rows if row[lei].value]
        return _count(numbered, lambda row: not _says(row[name])) * 2 > len(numbered)

    return Sanity(f"More than half of {lei} have no {name} beside them.", is_broken)


def remarks(*columns: str) -> Sanity:
    """Remarks are sentences: half of them at least are no mere addresses, days or codes."""

    def is_broken(rows: Rows) -> bool:
        return any(_matching(rows, column, NO_SENTENCE) * 2 > max(1, _filled(rows, column)) for column in columns)

    return Sanity(f"More than half of {' or '.join(columns)} are addresses, days or codes.", is_broken)


def _count(rows: Rows, holds: Callable[[Mapping[str, Reading]], bool]) -> int:
    return sum(map(holds, rows))


def _missing(rows: Rows, column: str) -> int:
    return _count(rows, lambda row: row[column].reason == Reason.MISSING)


def _says(reading: Reading) -> bool:
    is_dirty = reading.outcome == Outcome.QUARANTINED and reading.reason != Reason.MISSING
    return is_dirty or reading.value is not None


def _filled(rows: Rows, column: str) -> int:
    return _count(rows, lambda row: _says(row[column]))


def _is_unreadable(readings: Sequence[Reading], few: int) -> bool:
    put_aside = sum(reading.outcome == Outcome.QUARANTINED for reading in readings)
    return put_aside >= few and put_aside * 2 > len(readings)


def _is_disordered(first: Reading, second: Reading) -> bool:
    if isinstance(first.value, date) and isinstance(second.value, date):
        return second.value < first.value
    return second.reason == Reason.CONTRADICTORY


def _matching(rows: Rows, column: str, form: re.Pattern[str]) -> int:
    return _count(rows, lambda row: any(map(form.search, _texts(row[column]))))


def _has_path(reading: Reading) -> bool:
    return any(len(urlsplit(address).path) > 1 for address in _texts(reading))


def _texts(reading: Reading) -> tuple[str, ...]:
    value = reading.value
    return value if isinstance(value, tuple) else (value,) if isinstance(value, str) else ()
