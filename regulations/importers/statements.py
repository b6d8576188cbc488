"""What the rows of a register say, in our words: of which firm, and which things of it the register lists."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date

from regulations.importers.readings import Reading, Rule
from regulations.models import RegisterEntry

Kind = RegisterEntry.Kind
# By the names of the model's fields; related records by key, several as a frozenset. A field that the register does
# not tell, or whose cell is quarantined, is left out: nothing is said of it, which is not the same as None.
Fields = Mapping[str, str | date | frozenset[str] | None]


@dataclass(frozen=True)
class Firm:
    """Whom a row is about.

    name: the legal name, read. lei: the LEI, read; empty if there is none or it is quarantined.
    lei_cell: the LEI's raw cell without spaces around it, which tells rows of firms without a readable LEI apart.
    fields: of the company; trading_names: what else it is called.
    becomes_company: whether a firm that we do not know becomes a company of ours.
    """

    name: str
    lei: str = ""
    lei_cell: str = ""
    fields: Fields = field(default_factory=dict)
    trading_names: tuple[str, ...] = ()
    becomes_company: bool = True


@dataclass(frozen=True)
class Thing:
    """One thing that a row lists: an authorisation, a white paper, a warning.

    apart: what tells it from other things of the kind that the register lists of the same firm; a row whose thing was
    listed with another `apart` before is the same thing only if `may_move`, and no other can be meant.
    others: firms that it names beside its own (the offeror of a white paper); they are linked if we know them.
    """

    kind: Kind
    fields: Fields
    apart: str = ""
    may_move: bool = False
    others: tuple[Firm, ...] = ()


@dataclass(frozen=True)
class Statement:
    """What one row says. `set_aside` is why nothing can be made of it; empty if something can."""

    firm: Firm | None = None
    things: tuple[Thing, ...] = ()
    set_aside: str = ""


@dataclass(frozen=True)
class Sanity:
    """A property of a whole extract without which its columns are not what they say; `sentence` says what is wrong.

    is_broken: takes all rows' readings, by column.
    """

    sentence: str
    is_broken: Callable[[list[Mapping[str, Reading]]], bool]


@dataclass(frozen=True)
class Register:
    """An official register: whose it is, and how its files are read.

    key: its name in commands and records. publisher: the slug of the regulator that publishes it.
    columns: the rule for each column that a file must have; any other column stops the import, but for unnamed and
    empty ones at the end of each row. Their order does not matter.
    state: turns the readings of a row, by column, into what it says. May not raise.
    version: of the rules; a greater one has files read again that were imported before.
    may_be_empty: whether a file without rows can be true.
    sanities: what a whole file must be like.
    """

    key: str
    title: str
    publisher: str
    url: str
    licence: str
    frequency: str
    version: int
    columns: Mapping[str, Rule]
    state: Callable[[Mapping[str, Reading]], Statement]
    may_be_empty: bool = False
    sanities: tuple[Sanity, ...] = ()

    @property
    def rules(self) -> str:
        """By which rules a file is read: the register and their version."""
        return f"{self.key}/{self.version}"
