"""The golden copy of GLEIF: one record for each legal entity identifier (ISO 17442), as comma-separated values.

Publisher: Global Legal Entity Identifier Foundation. Licence: CC0 1.0. Frequency: three times a day.
The file has some 3 million rows and 340 columns, 4 GB; of it only the records are kept that somebody asks for.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from regulations.importers.files import FaultyFileError
from regulations.importers.streams import read_stream

# The columns that we read. The others are known to be there, and left alone: this is a reference, not a register.
COLUMNS = {
    "lei": "LEI",
    "legal_name": "Entity.LegalName",
    "jurisdiction": "Entity.LegalJurisdiction",
    "headquarters": "Entity.HeadquartersAddress.Country",
    "authority": "Entity.RegistrationAuthority.RegistrationAuthorityID",
    "number": "Entity.RegistrationAuthority.RegistrationAuthorityEntityID",
    "entity_status": "Entity.EntityStatus",
    "status": "Registration.RegistrationStatus",
    "updated": "Registration.LastUpdateDate",
}
OTHER_NAME = re.compile(
    r"Entity\.(OtherEntityNames\.OtherEntityName|TransliteratedOtherEntityNames\.TransliteratedOtherEntityName)\.\d+"
)
# Names are folded by the database, so many at a time.
CHUNK = 5000
# After so many rows it is told how far the reading is.
PACE = CHUNK * 40
# So many records of one name are kept; more cannot be told apart by a reader either.
MOST_NAMESAKES = 5
DAY_IN_NAME = re.compile(r"(\d{4})-?(\d{2})-?(\d{2})")

Fold = Callable[[Collection[str]], Mapping[str, str]]
Progress = Callable[[str], None]


@dataclass(frozen=True)
class LeiRecord:
    """What GLEIF says of one legal entity, cell by cell as it stands there; an empty cell is an empty text."""

    lei: str
    legal_name: str
    jurisdiction: str
    headquarters: str
    authority: str
    number: str
    entity_status: str
    status: str
    updated: str
    other_names: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """All its names: the legal one first, then former, trading and transliterated ones."""
        return (self.legal_name, *self.other_names)


@dataclass
class Sifted:
    """What was asked for. `row_count` counts all rows of the file, kept or not."""

    row_count: int = 0
    by_lei: dict[str, LeiRecord] = field(default_factory=dict)
    by_name: dict[str, list[LeiRecord]] = field(default_factory=lambda: defaultdict(list))


def day_of(file_name: str) -> date | None:
    """The day that the file's name bears, such as 20260209-0800-gleif-goldencopy-lei2-golden-copy.csv."""
    found = DAY_IN_NAME.match(Path(file_name).name)
    try:
        return date(*map(int, found.groups())) if found else None
    except ValueError:
        return None


def sift(stream: BinaryIO, leis: Collection[str], folded_names: Collection[str], fold: Fold, tell: Progress) -> Sifted:
    """Read a golden copy, and keep the records of these LEIs, and those whose legal name folds to one of these.

    Memory holds a few thousand rows, and what is kept.
    Raises RefusedFileError or FaultyFileError for what is no golden copy, or a damaged one.
    """
    columns, rows = read_stream(stream)
    places = _places(columns)
    others = tuple(place for place, name in enumerate(columns) if OTHER_NAME.fullmatch(name))
    sifted = Sifted()
    while chunk := list(islice(rows, CHUNK)):
        sifted.row_count += len(chunk)
        folded = fold({row[places["legal_name"]] for row in chunk}) if folded_names else {}
        for row in chunk:
            name = folded.get(row[places["legal_name"]], "")
            if row[places["lei"]] in leis or name in folded_names:
                _keep(sifted, _record(row, places, others), leis, name if name in folded_names else "")
        if sifted.row_count % PACE == 0:
            tell(f"{sifted.row_count:,} rows read, {len(sifted.by_lei):,} of them asked for ...")
    if not sifted.row_count:
        raise FaultyFileError("empty", "The golden copy has no rows.")
    return sifted


def _places(columns: tuple[str, ...]) -> dict[str, int]:
    missing = sorted(set(COLUMNS.values()) - set(columns))
    if missing:
        raise FaultyFileError("columns", f"The file is no golden copy of LEI records: it lacks {', '.join(missing)}.")
    return {name: columns.index(column) for name, column in COLUMNS.items()}


def _record(row: tuple[str, ...], places: Mapping[str, int], others: tuple[int, ...]) -> LeiRecord:
    told = {name: row[place].strip() for name, place in places.items()}
    return LeiRecord(**told, other_names=tuple(row[place].strip() for place in others if row[place].strip()))


def _keep(sifted: Sifted, record: LeiRecord, leis: Collection[str], folded_name: str) -> None:
    """`folded_name` is empty if nobody asks for the name."""
    if record.lei in leis:
        if record.lei in sifted.by_lei:
            raise FaultyFileError("twice", f"The LEI {record.lei} stands in two rows; a golden copy has each once.")
        sifted.by_lei[record.lei] = record
    if folded_name and len(sifted.by_name[folded_name]) < MOST_NAMESAKES:
        sifted.by_name[folded_name].append(record)
