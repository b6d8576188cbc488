"""A workbook's cells are read as what they hold; formulas, lost digits and bombs are refused."""

import io
import zipfile
from datetime import date, datetime
from decimal import Decimal

import pytest
from openpyxl import Workbook

from regulations.importers import workbooks
from regulations.importers.files import MOST_BYTES, RefusedFileError
from regulations.importers.workbooks import read_cells, read_workbook


def as_workbook(*rows, **sheets):
    book = Workbook()
    for row in rows:
        book.active.append(row)
    for title, others in sheets.items():
        sheet = book.create_sheet(title)
        for row in others:
            sheet.append(row)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def read(content, sheet=""):
    faults = []
    return read_workbook(content, sheet, "firms.xlsx", faults), [str(fault) for fault in faults]


class Text:
    data_type = "s"

    def __init__(self, value):
        self.value = value


def test_cells_are_texts_as_they_hold_them():
    row = ["Alpha", date(2025, 2, 19), datetime(2025, 2, 20), 2025, 12.0, 0.25, True, None, Decimal("1.5")]
    head = [f"column {number}" for number in range(len(row))]

    table, faults = read(as_workbook(head, row))

    assert table.columns == tuple(head)
    assert table.rows == (("Alpha", "2025-02-19", "2025-02-20", "2025", "12", "0.25", "true", "", "1.5"),)
    assert not faults


def test_short_rows_are_filled_and_empty_columns_at_the_end_left_out():
    table, _ = read(as_workbook(["slug", "name", None], ["alpha"], [], ["beta", "Beta"]))

    assert table.columns == ("slug", "name")
    assert table.rows == (("alpha", ""), ("", ""), ("beta", "Beta"))


def test_all_cells_that_cannot_be_are_told_by_row_and_column():
    rows = [
        ["slug", "name"],
        ["alpha", '=HYPERLINK("https://evil.example")'],
        ["beta", 9.6e19],
        ["gamma", "#N/A"],
        ["delta", datetime(2025, 1, 1, 12, 30)],
        ["epsilon", "Epsilon", "surplus"],
    ]

    _, faults = read(as_workbook(*rows))

    assert faults == [
        "firms.xlsx:2: name: is a formula: put in its place what it comes to",
        "firms.xlsx:3: name: 9.6e+19 has lost digits: a spreadsheet keeps 15 of them; format the column as text first",
        "firms.xlsx:4: name: is the error #N/A",
        "firms.xlsx:5: name: 2025-01-01 12:30:00 has a time of day, and must be a day",
        "firms.xlsx:6: (3): this cell stands beyond the columns that the head names",
    ]


def test_a_cell_of_five_megabytes_is_told():
    faults = []

    read_cells([[Text("slug")], [Text("x" * 5 * 2**20)]], "firms.xlsx", faults)

    assert str(faults[0]) == "firms.xlsx:2: slug: has 5,242,880 characters; a cell has at most 32,767"


def test_rows_beyond_the_limit_are_not_read(monkeypatch):
    monkeypatch.setattr(workbooks, "MOST_ROWS", 2)

    def rows():
        for number in range(4):
            yield [Text(f"row {number}")]
        raise AssertionError("A row was read that nobody needs.")

    with pytest.raises(RefusedFileError, match="more than 2 rows"):
        read_cells(rows(), "firms.xlsx", [])


def test_of_several_sheets_one_is_named():
    content = as_workbook(["slug"], ["alpha"], Others=[["slug"], ["beta"]])

    assert read(content, "Others")[0].rows == (("beta",),)
    with pytest.raises(RefusedFileError, match="Which sheet\\? The workbook has Sheet, Others"):
        read(content)


def packed(**files):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name.replace("__", "/"), text)
    return content.getvalue()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (packed(firms="slug"), "a zip archive and no workbook"),
        (b"PK\x03\x04 broken", "damaged"),
        (packed(**{"xl__workbook.xml": "<nonsense"}), "damaged"),
        (packed(**{"xl__workbook.xml": b"\0" * (MOST_BYTES + 1)}), "when unpacked"),
        (as_workbook([None], ["alpha"]), "first row of the sheet is empty"),
    ],
)
def test_what_is_no_workbook_is_refused(content, sentence):
    with pytest.raises(RefusedFileError, match=sentence):
        read(content)
