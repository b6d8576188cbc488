"""A register's file as a table of raw cells: read strictly, so that a damaged file is told and never half read."""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

MOST_BYTES = 64 * 2**20
MOST_ROWS = 100_000
ARCHIVES = {b"PK": "a zip archive or a workbook (XLSX)", b"\x1f\x8b": "a gzip archive", b"%PDF": "a PDF document"}
DAY_IN_NAME = re.compile(r"(?<!\d)(20\d\d)-?(\d\d)-?(\d\d)(?!\d)")
WIDE = (b"\xff\xfe", b"\xfe\xff")


class RefusedFileError(Exception):
    """The file is not even looked at; the message says why, and what to bring instead."""


class FaultyFileError(Exception):
    """The file cannot be read as a table; `code` is a word for it, the message says what and where."""

    def __init__(self, code: str, sentence: str) -> None:
        self.code = code
        super().__init__(sentence)


@dataclass(frozen=True)
class Table:
    """Raw cells, row by row; each row has one for each column. A column without a name is called by its place: (14)."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def read_bytes(path: Path) -> bytes:
    """Return what the file holds. Raises RefusedFileError for what is no file, or larger than 64 MiB."""
    if not path.is_file():
        raise RefusedFileError(f"There is no file {path}.")
    if path.stat().st_size > MOST_BYTES:
        raise RefusedFileError(too_large(path.stat().st_size))
    return path.read_bytes()


def day_in(name: str) -> date | None:
    """The one day that the name of a file tells; None if it tells none, or more than one."""
    days = {"-".join(match) for match in DAY_IN_NAME.findall(name)}
    try:
        return date.fromisoformat(days.pop()) if len(days) == 1 else None
    except ValueError:
        return None


def too_large(size: int) -> str:
    """What is said of a file of so many bytes, if that is too many."""
    return f"The file has {size / 2**20:,.0f} MiB; a register has at most {MOST_BYTES // 2**20}."


def read_table(content: bytes) -> Table:
    """Read comma-separated values as RFC 4180 has them: UTF-8, a head, and as many cells in each row as in the head.

    Raises RefusedFileError for what is no such text at all, FaultyFileError for one that is damaged.
    """
    _refuse_what_is_no_text(content)
    rows = list(_rows(_decoded(content)))
    if not rows:
        raise FaultyFileError("empty", "The file is empty.")
    columns = _columns(rows[0])
    if len(rows) - 1 > MOST_ROWS:
        raise RefusedFileError(f"The file has {len(rows) - 1:,} rows; a register has at most {MOST_ROWS:,}.")
    for number, row in enumerate(rows[1:], start=1):
        if len(row) != len(columns):
            raise FaultyFileError("ragged", f"Row {number} has {len(row)} cells, and the head {len(columns)}.")
    return Table(columns, tuple(rows[1:]))


def _refuse_what_is_no_text(content: bytes) -> None:
    if len(content) > MOST_BYTES:
        raise RefusedFileError(too_large(len(content)))
    for magic, name in ARCHIVES.items():
        if content.startswith(magic):
            raise RefusedFileError(f"The file is {name}, not comma-separated text: bring the CSV file itself.")
    if content.lstrip()[:200].lower().startswith((b"<!doctype", b"<html", b"<?xml")):
        raise RefusedFileError("The file is a web page, not comma-separated text: download the CSV file itself.")
    if content.startswith(WIDE):
        raise FaultyFileError("encoding", "The file is encoded in UTF-16; registers come in UTF-8.")
    if (place := content.find(b"\0")) >= 0:
        raise RefusedFileError(f"The file has a NUL byte in line {_line(content, place)}: it is no text.")


def _decoded(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        place = f"byte {content[error.start]:#04x} in line {_line(content, error.start)}"
        raise FaultyFileError("encoding", f"The file is not encoded in UTF-8: {place}.") from error


def _line(content: bytes, place: int) -> int:
    return content.count(b"\n", 0, place) + 1


def _rows(text: str) -> Iterator[tuple[str, ...]]:
    """The rows that have cells; blank lines, as at the end of a file, are none."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        for row in reader:
            if row:
                yield tuple(row)
    except csv.Error as error:
        raise FaultyFileError("malformed", f"Line {reader.line_num} is no comma-separated text: {error}.") from error


def _columns(head: tuple[str, ...]) -> tuple[str, ...]:
    if len(head) == 1 and (other := next((mark for mark in ";\t|" if mark in head[0]), None)):
        raise FaultyFileError("delimiter", f"The columns are separated by “{other}” where commas are expected.")
    names = tuple(name.strip() or f"({place})" for place, name in enumerate(head, start=1))
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise FaultyFileError("columns", f"The head names {', '.join(twice)} more than once.")
    return names
