"""Comma-separated text that is too large for memory: strict as `files` is, and one row at a time."""

import csv
from collections.abc import Iterator
from typing import BinaryIO

from regulations.importers.files import FaultyFileError, RefusedFileError, read_table

# No line of an honest file is longer; a file without line ends must not fill the memory.
LONGEST_LINE = 2**20

Rows = Iterator[tuple[str, ...]]


def read_stream(stream: BinaryIO) -> tuple[tuple[str, ...], Rows]:
    """Read the head of UTF-8 comma-separated values; the rows are read one by one, as they are asked for.

    Raises RefusedFileError for what is no such text, FaultyFileError for what is damaged; also while rows are read.
    """
    head = stream.readline(LONGEST_LINE)
    columns = read_table(head).columns
    return columns, _rows(stream, len(columns))


def _rows(stream: BinaryIO, width: int) -> Rows:
    reader = csv.reader(_lines(stream), strict=True)
    try:
        for row in reader:
            if not row:
                continue
            if len(row) != width:
                # The head is line 1, and the reader has not seen it.
                line = reader.line_num + 1
                raise FaultyFileError("ragged", f"Line {line} has {len(row)} cells, and the head {width}.")
            yield tuple(row)
    except csv.Error as error:
        line = reader.line_num + 1
        raise FaultyFileError("malformed", f"Line {line} is no comma-separated text: {error}.") from error


def _lines(stream: BinaryIO) -> Iterator[str]:
    number = 1
    while content := stream.readline(LONGEST_LINE):
        number += 1
        if len(content) == LONGEST_LINE and not content.endswith(b"\n"):
            raise RefusedFileError(f"Line {number} is longer than 1 MiB: this is no table of rows.")
        if b"\0" in content:
            raise RefusedFileError(f"The file has a NUL byte in line {number}: it is no text.")
        try:
            yield content.decode()
        except UnicodeDecodeError as error:
            place = f"byte {content[error.start]:#04x} in line {number}"
            raise FaultyFileError("encoding", f"The file is not encoded in UTF-8: {place}.") from error
