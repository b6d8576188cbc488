"""No rule makes up a character: what a cell means stands in the cell, or in a table that the rule names."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regulations.importers.cell_addresses import DEFAULT_SCHEME
from regulations.importers.esma import art, casp, emt, ncasp, other, tables
from regulations.importers.readings import Outcome
from tests.importers.esma.reading import EXTRACTS, SAMPLES, extracts, readings_of, rows_of

REGISTERS = {
    "ART": art.REGISTER,
    "CASP": casp.REGISTER,
    "EMT": emt.REGISTER,
    "NCASP": ncasp.REGISTER,
    "OTHER": other.REGISTER,
}

# The values that the named tables give, by rule.
TABLES = {
    "authority/1": set(tables.authorities().values()),
    "country/1": set(tables.countries().values()),
    "states/1": set(tables.states().values()),
    "home-by-lei-country/1": set(tables.states().values()),
    "services/1": {service.letter for service in tables.services()},
    "yes-no/1": set(tables.answers().values()),
    "institution/1": set(tables.institutions().values()),
}

pieces = st.sampled_from(
    [
        "a. ",
        "e. ",
        "exchange of crypto-assets for ",
        "funds",
        "placing of crypto-assets",
        "|",
        " I ",
        "EL",
        "GR",
        "SL",
        "https://",
        "www.",
        "a.example",
        "/x y",
        "01/12/2025",
        "01/07/2026",
        "529900ALPENKRYPTO038",
        "O",
        ".",
        "\xa0",
        "n/a",
        "Ã¶",
        "�",
        "=",
        "Financial Market Authority",
        "DE",
        "\r\n",
        "ООD",
    ]
)
cells = st.one_of(st.text(max_size=60), st.lists(pieces, max_size=6).map("".join))


def is_within(value, raw):
    """Whether the value's characters stand in the cell in the same order, any space being a space."""
    rest = iter(" " if character.isspace() else character for character in raw)
    return all(character in rest for character in value)


def stands_in(value, rule, raw):
    """Whether each character of what a cell means is the cell's own, or the named table's."""
    if value is None:
        return True
    if rule in TABLES:
        return all(item in TABLES[rule] for item in (value if isinstance(value, tuple) else (value,)))
    if isinstance(value, date):
        return f"{value:%d/%m/%Y}" in raw
    if isinstance(value, tuple):
        return all(is_within(item, raw) or is_within(item.removeprefix(DEFAULT_SCHEME), raw) for item in value)
    return is_within(value, raw)


def check(readings, row):
    for column, reading in readings.items():
        assert (reading.value is None) or reading.outcome != Outcome.QUARANTINED
        assert (reading.rule != "") == (reading.outcome == Outcome.NORMALISED)
        assert (reading.reason is not None) == (reading.outcome == Outcome.QUARANTINED) == bool(reading.explanation)
        assert reading.outcome != Outcome.KEPT or reading.value == (row[column] or None)
        assert stands_in(reading.value, reading.rule, row[column]), (column, row[column], reading)


@pytest.mark.parametrize("name", REGISTERS)
@given(data=st.data())
def test_no_rule_makes_up_a_character_whatever_the_cell_holds(name, data):
    register = REGISTERS[name]
    row = {column: data.draw(cells, label=column) for column in register.columns}

    [readings] = readings_of(register, [row])

    check(readings, row)
    register.state(readings)


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.csv")), ids=lambda path: path.stem)
def test_no_rule_makes_up_a_character_of_a_sample(path):
    register = next(register for name, register in REGISTERS.items() if path.stem.startswith(name))
    rows = rows_of(path)

    for row, readings in zip(rows, readings_of(register, rows), strict=True):
        check(readings, row)


@pytest.mark.skipif(not EXTRACTS.is_dir(), reason="the registers' real extracts are not beside this repository")
@pytest.mark.parametrize("name", REGISTERS)
def test_no_rule_makes_up_a_character_of_a_real_extract(name):
    for path, on in extracts(f"{name}2*.csv"):
        rows = rows_of(path)
        for row, readings in zip(rows, readings_of(REGISTERS[name], rows, on), strict=True):
            check(readings, row)


@pytest.mark.parametrize("name", REGISTERS)
@given(data=st.data())
def test_what_is_proposed_is_read_without_a_further_question(name, data):
    register = REGISTERS[name]
    row = {column: data.draw(cells, label=column) for column in register.columns}
    [readings] = readings_of(register, [row])

    for column, reading in readings.items():
        if reading.proposal:
            [again] = readings_of(register, [{**row, column: reading.proposal}])
            assert again[column].outcome != Outcome.QUARANTINED, (column, row[column], reading, again[column])
