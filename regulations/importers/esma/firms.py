"""What the columns that the registers have in common say about a firm."""

from collections.abc import Collection, Mapping
from datetime import date

from regulations.importers.cell_rules import folded
from regulations.importers.esma.states import HOME, LEI_COUNTRY, country_at_end
from regulations.importers.readings import Outcome, Reading
from regulations.importers.statements import Firm

AUTHORITY, NAME, LEI = "ae_competentAuthority", "ae_lei_name", "ae_lei"
COMMERCIAL_NAME, ADDRESS, WEBSITE = "ae_commercial_name", "ae_address", "ae_website"
WORDS = {NAME: "name", HOME: "home state", AUTHORITY: "authority"}

Readings = Mapping[str, Reading]
Said = str | date | frozenset[str] | None


def text_of(readings: Readings, column: str) -> str:
    """The text of a cell; empty if it says none."""
    value = readings[column].value
    return value if isinstance(value, str) else ""


def several_of(readings: Readings, column: str) -> tuple[str, ...]:
    """The items of a cell; none if it says none."""
    value = readings[column].value
    return value if isinstance(value, tuple) else ()


def day_of(readings: Readings, column: str) -> date | None:
    """The day of a cell; None if it says none."""
    value = readings[column].value
    return value if isinstance(value, date) else None


def is_readable(readings: Readings, column: str) -> bool:
    """Whether the cell is not quarantined: where it is empty, it says that there is nothing."""
    return readings[column].outcome != Outcome.QUARANTINED


def established(fields: Mapping[str, Said]) -> dict[str, Said]:
    """The fields that something is said of."""
    return {name: value for name, value in fields.items() if value}


def lacking(readings: Readings, columns: Collection[str] = (NAME, HOME, AUTHORITY)) -> str:
    """Why nothing can be made of a row in which one of these cannot be read; empty if each can."""
    words = [WORDS[column] for column in columns if not text_of(readings, column)]
    return f"Nothing can be made of the row without its {' and its '.join(words)}." if words else ""


def firm_of(readings: Readings) -> Firm:
    """The firm of a row with an address, a site and a commercial name."""
    name = text_of(readings, NAME)
    fields = established(
        {
            "legal_name": name,
            "incorporated_in": text_of(readings, LEI_COUNTRY),
            "headquarters": country_at_end(text_of(readings, ADDRESS)),
            "website": next(iter(several_of(readings, WEBSITE)), ""),
        }
    )
    others = tuple(other for other in several_of(readings, COMMERCIAL_NAME) if _letters(other) != _letters(name))
    return Firm(name, text_of(readings, LEI), folded(readings[LEI].raw), fields, others)


def _letters(name: str) -> str:
    return "".join(character for character in name.casefold() if character.isalnum())
