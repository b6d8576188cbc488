"""The registers' real extracts: each cell is read, the dirty ones are put aside, and columns cannot be mistaken."""

from collections import Counter
from itertools import combinations

import pytest

from regulations.importers.esma import art, casp, emt, ncasp, other
from regulations.importers.readings import Outcome
from tests.importers.esma.reading import EXTRACTS, extracts, readings_of, rows_of

pytestmark = pytest.mark.skipif(
    not EXTRACTS.is_dir(), reason="the registers' real extracts are not beside this repository"
)

REGISTERS = {"ART": art, "CASP": casp, "EMT": emt, "NCASP": ncasp, "OTHER": other}
FILES = [(path, on) for path, on in extracts("*.csv")]
# What was quarantined when each was looked at by eye, by column; nothing of it is plain.
PUT_ASIDE = {
    "ART20260209": {},
    "CASP20251215": {
        "ae_lei": 2, "ae_commercial_name": 1, "ae_address": 2, "ae_website": 5, "ac_serviceCode": 1,
        "ac_serviceCode_cou": 1, "ac_lastupdate": 3,
    },
    "CASP20260209": {
        "ae_lei": 2, "ae_commercial_name": 1, "ae_address": 2, "ae_website": 6, "ac_authorisationNotificationDate": 1,
        "ac_serviceCode": 2, "ac_serviceCode_cou": 1, "ac_lastupdate": 3,
    },
    "EMT20260129": {"wp_url": 1},
    "NCASP20260209": {"ae_website": 1},
    "OTHER20260130": {"ae_lei_name": 2, "ae_lei": 3, "ae_DTI": 1, "wp_url": 6},
}  # fmt: skip
# Rows that nothing can be made of: no firm is named, or no address of a paper.
SET_ASIDE = {"OTHER20260130": 13}
# Columns that hold the same sort of text, and of which nothing is published, or the same whichever is which.
ALIKE = {
    ("ae_exemption48_4", "ae_exemption48_5"),
    ("ae_infrigment", "ae_reason"),
    ("ae_infrigment", "ae_comments"),
    ("ae_reason", "ae_comments"),
}
# Who gives no services has but a name that somebody uses.
ALIKE_OF = {"NCASP": {*ALIKE, ("ae_lei_name", "ae_commercial_name")}}


def register_of(path):
    return REGISTERS[path.stem[:-8]].REGISTER


@pytest.mark.parametrize(("path", "on"), FILES, ids=[path.stem for path, _ in FILES])
def test_each_cell_is_read(path, on):
    register, rows = register_of(path), rows_of(path)

    readings = readings_of(register, rows, on)

    assert all(row.keys() == register.columns.keys() for row in rows)
    assert sum(map(len, readings)) == len(rows) * len(register.columns)
    assert [sanity.sentence for sanity in register.sanities if sanity.is_broken(readings)] == []
    assert sum(bool(register.state(row).set_aside) for row in readings) == SET_ASIDE.get(path.stem, 0)


@pytest.mark.parametrize("stem", PUT_ASIDE)
def test_the_dirt_that_was_found_by_eye_is_put_aside_and_nothing_else(stem):
    [(path, on)] = extracts(f"{stem}.csv")

    found = Counter(
        column
        for readings in readings_of(register_of(path), rows_of(path), on)
        for column, reading in readings.items()
        if reading.outcome == Outcome.QUARANTINED
    )

    assert found == PUT_ASIDE[stem]


@pytest.mark.parametrize("stem", ["CASP20260209", "EMT20260129", "NCASP20260209", "OTHER20260130"])
def test_two_columns_that_are_swapped_do_not_pass(stem):
    [(path, on)] = extracts(f"{stem}.csv")
    # Of the longest, each third row will do.
    register, rows = register_of(path), rows_of(path)[:: 3 if stem.startswith("OTHER") else 1]

    passed = {
        (one, other)
        for one, other in combinations(register.columns, 2)
        if not is_held(register, [{**row, one: row[other], other: row[one]} for row in rows], on)
    }

    assert passed <= ALIKE_OF.get(stem[:-8], ALIKE)


def is_held(register, rows, on):
    """As the frame decides: more than half of a column's filled cells are quarantined, or a sanity is broken."""
    readings = readings_of(register, rows, on)
    for column in register.columns:
        filled = [read[column] for row, read in zip(rows, readings, strict=True) if row[column].strip()]
        put_aside = [reading for reading in filled if reading.outcome == Outcome.QUARANTINED]
        if len(filled) >= 4 and len(put_aside) * 2 > len(filled):
            return True
    return any(sanity.is_broken(readings) for sanity in register.sanities)
