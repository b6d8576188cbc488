"""A workbook's sheet as a table of texts: what its cells hold, never what they calculate."""

import io
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from itertools import islice
from typing import Any
from zipfile import BadZipFile, ZipFile

from openpyxl import load_workbook

from regulations.importers.faults import Fault, Place
from regulations.importers.files import MOST_BYTES, MOST_ROWS, RefusedFileError, Table

WORKBOOK = "xl/workbook.xml"
MOST_COLUMNS = 500
# No cell of Excel is longer; numbers of more digits than these it has rounded already.
LONGEST_CELL = 32_767
EXACT = 10**15


class UnfitError(Exception):
    """The cell has no text that it could mean; the message says why."""


def read_workbook(content: bytes, sheet: str, file: str, faults: list[Fault]) -> Table:
    """Read one sheet of a workbook (XLSX); what a cell cannot mean stands among the faults, by row and column.

    sheet: its name; may be empty if there is one only.
    Raises RefusedFileError for what is no workbook, or is larger than a table of ours is once it is unpacked.
    """
    _refuse_what_unpacks_too_large(content)
    try:
        book = load_workbook(io.BytesIO(content), read_only=True, keep_links=False)
        cells = _sheet(book.worksheets, sheet)
        # What a sheet says of its own size may be anything.
        cells.reset_dimensions()
        return read_cells(cells.iter_rows(), file, faults)
    except RefusedFileError:
        raise
    # The library raises whatever it stumbles over.
    except Exception as error:
        raise RefusedFileError(f"The workbook is damaged: {error or type(error).__name__}") from error


def read_cells(rows: Iterable[Iterable[Any]], file: str, faults: list[Fault]) -> Table:
    """The table that the rows of cells make; one after the other, and no more of them than a table may have."""
    rows = iter(rows)
    head = tuple(str(cell.value or "").strip() for cell in next(rows, ()))
    while head and not head[-1]:
        head = head[:-1]
    if not head:
        raise RefusedFileError("The first row of the sheet is empty: it must name the columns.")
    if len(head) > MOST_COLUMNS:
        raise RefusedFileError(f"The sheet has {len(head):,} columns; a table has at most {MOST_COLUMNS}.")
    columns = tuple(name or f"({place})" for place, name in enumerate(head, start=1))
    found = tuple(_texts(row, columns, Place(file, line), faults) for line, row in _numbered(rows))
    return Table(columns, found)


def _numbered(rows: Iterator[Iterable[Any]]) -> Iterator[tuple[int, Iterable[Any]]]:
    yield from enumerate(islice(rows, MOST_ROWS), start=2)
    if next(rows, None) is not None:
        raise RefusedFileError(f"The sheet has more than {MOST_ROWS:,} rows.")


def _texts(row: Iterable[Any], columns: tuple[str, ...], place: Place, faults: list[Fault]) -> tuple[str, ...]:
    texts = []
    for number, cell in enumerate(row):
        name = columns[number] if number < len(columns) else f"({number + 1})"
        try:
            texts.append(_text(cell))
        except UnfitError as unfit:
            faults.append(Fault(place, f"{name}: {unfit}"))
            texts.append("")
    beyond = [number for number, text in enumerate(texts) if text and number >= len(columns)]
    if beyond:
        faults.append(Fault(place, f"({beyond[0] + 1}): this cell stands beyond the columns that the head names"))
    return tuple([*texts, *[""] * len(columns)][: len(columns)])


def _text(cell: Any) -> str:
    value = cell.value
    if value is None:
        return ""
    if cell.data_type == "f":
        raise UnfitError("is a formula: put in its place what it comes to")
    if cell.data_type == "e":
        raise UnfitError(f"is the error {value}")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return _number(value)
    return _day(value) if isinstance(value, date) else _plain(value)


def _plain(value: Any) -> str:
    if not isinstance(value, str):
        raise UnfitError(f"“{value}” is neither text, number nor day")
    if len(value) > LONGEST_CELL:
        raise UnfitError(f"has {len(value):,} characters; a cell has at most {LONGEST_CELL:,}")
    return value


def _number(value: int | float) -> str:
    if abs(value) >= EXACT:
        raise UnfitError(f"{value} has lost digits: a spreadsheet keeps 15 of them; format the column as text first")
    return str(int(value)) if value == int(value) else repr(value)


def _day(value: date) -> str:
    if isinstance(value, datetime):
        if value.time() != datetime.min.time():
            raise UnfitError(f"{value} has a time of day, and must be a day")
        value = value.date()
    return value.isoformat()


def _sheet(sheets: list[Any], wanted: str) -> Any:
    titles = [sheet.title for sheet in sheets]
    if wanted in titles:
        return sheets[titles.index(wanted)]
    if wanted or len(titles) != 1:
        raise RefusedFileError(f"Which sheet? The workbook has {', '.join(titles) or 'none'}: name it with --sheet.")
    return sheets[0]


def _refuse_what_unpacks_too_large(content: bytes) -> None:
    """Neither a workbook nor what is inside of it may fill the memory (a “zip bomb”)."""
    try:
        with ZipFile(io.BytesIO(content)) as packed:
            sizes = {each.filename: each.file_size for each in packed.infolist()}
    except BadZipFile as error:
        raise RefusedFileError(f"The workbook is damaged: {error}.") from error
    if WORKBOOK not in sizes:
        raise RefusedFileError("The file is a zip archive and no workbook: bring the CSV or XLSX file itself.")
    if sum(sizes.values()) > MOST_BYTES:
        size = sum(sizes.values()) / 2**20
        raise RefusedFileError(
            f"The workbook has {size:,.0f} MiB when unpacked; a table has at most {MOST_BYTES // 2**20}."
        )
