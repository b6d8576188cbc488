"""A stream is read one row at a time, and as strictly as a file that fits in memory."""

import io

import pytest

from regulations.importers.files import FaultyFileError, RefusedFileError
from regulations.importers.streams import read_stream


class Tap:
    """A file of which only so many lines may be read."""

    def __init__(self, lines, at_most):
        self.lines, self.left = iter(lines), at_most

    def readline(self, size):
        assert self.left, "A line was read that nobody asked for."
        self.left -= 1
        return next(self.lines, b"")


def everything(content):
    columns, rows = read_stream(io.BytesIO(content))
    return columns, list(rows)


def test_head_and_rows_are_read():
    content = '\ufeffname,note\r\nAlpha,"two\r\nlines, ""quoted"""\r\n\r\nÉta,\r\n'.encode()

    assert everything(content) == (("name", "note"), [("Alpha", 'two\r\nlines, "quoted"'), ("Éta", "")])


def test_rows_are_not_read_before_they_are_asked_for():
    tap = Tap((b"name\n" if line == 0 else b"row\n" for line in range(1_000_000)), at_most=3)

    _, rows = read_stream(tap)

    assert [next(rows), next(rows)] == [("row",), ("row",)]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"PK\x03\x04abc", "a zip archive"),
        (b"\x1f\x8babc\n", "a gzip archive"),
        (b"<!doctype html>\n", "a web page"),
        (b"a,b\n1,\0\n", "NUL byte in line 2"),
        (b"a,b\n1,2\n" + b"x" * 5 * 2**20 + b",2\n", "Line 3 is longer than 1 MiB"),
    ],
)
def test_what_is_no_text_is_refused(content, sentence):
    with pytest.raises(RefusedFileError, match=sentence):
        everything(content)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "empty"),
        (b"a;b\n1;2\n", "separated by “;”"),
        (b"a,a\n1,2\n", "more than once"),
        (b"a,b\n1,2\n1\n", "Line 3 has 1 cells, and the head 2"),
        (b"a,b\n1,\xe9\n", "byte 0xe9 in line 2"),
        (b'a,b\n1,"2"x\n', "Line 2 is no comma-separated text"),
        (b"a,b\n1," + b"x" * 200_000 + b"\n", "field larger than field limit"),
        (b'a,b\n1,"cut off', "unexpected end of data"),
    ],
)
def test_what_is_damaged_is_told_with_its_line(content, sentence):
    with pytest.raises(FaultyFileError, match=sentence):
        everything(content)
