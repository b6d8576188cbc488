from datetime import date

import pytest

from regulations.importers.esma.casp import REGISTER
from regulations.importers.readings import Outcome, Reason
from tests.importers.esma.reading import EXTRACTS, SAMPLES, extracts, readings_of, rows_of, statements_of

needs_extracts = pytest.mark.skipif(
    not EXTRACTS.is_dir(), reason="the registers' real extracts are not beside this repository"
)


def test_row_becomes_a_firm_and_its_authorisation():
    alpen = statements_of(REGISTER, "CASPS.csv")[0]

    assert (alpen.firm.name, alpen.firm.lei, alpen.firm.trading_names) == (
        "Alpen Krypto GmbH",
        "529900ALPENKRYPTO038",
        ("Alpen",),
    )
    assert alpen.firm.fields == {
        "legal_name": "Alpen Krypto GmbH",
        "incorporated_in": "AT",
        "headquarters": "AT",
        "website": "https://www.alpen.example",
    }
    [thing] = alpen.things
    assert (thing.apart, thing.may_move) == ("2025-05-28", True)
    assert thing.fields == {
        "regulator": "at-fma",
        "policy": "eu-mica",
        "jurisdiction": "AT",
        "kind": "listed",
        "activities": frozenset({"custody", "exchange"}),
        "valid_in": frozenset({"BE", "GR", "FI"}),
        "granted_on": date(2025, 5, 28),
        "ended_on": None,
    }


def test_list_of_states_that_names_but_the_home_state_establishes_no_passport():
    rhein = statements_of(REGISTER, "CASPS.csv")[1]

    assert "valid_in" not in rhein.things[0].fields
    assert "activities" not in rhein.things[0].fields
    assert rhein.firm.trading_names == ()


def test_what_is_quarantined_is_not_said():
    belgrad = statements_of(REGISTER, "CASPS.csv")[2]

    assert (belgrad.firm.name, belgrad.firm.lei, belgrad.firm.lei_cell) == ("Белград ООD", "", "")
    assert "website" not in belgrad.firm.fields
    assert not {"activities", "granted_on"} & belgrad.things[0].fields.keys()
    assert belgrad.things[0].apart == ""


def test_home_state_that_is_not_said_is_that_of_the_lei():
    spree = readings_of(REGISTER, rows_of(SAMPLES / "CASPS.csv"))[3]

    assert (spree["ae_homeMemberState"].value, spree["ae_homeMemberState"].rule) == ("DE", "home-by-lei-country/1")
    assert spree["ae_competentAuthority"].value == "de-bafin"


def test_row_without_a_readable_lei_is_told_apart_by_its_cell():
    spree = statements_of(REGISTER, "CASPS.csv")[3]

    assert (spree.firm.lei, spree.firm.lei_cell) == ("", "9.60E+19")


def test_authority_of_another_state_sets_the_row_aside():
    seine = statements_of(REGISTER, "CASPS.csv")[4]

    assert seine.set_aside == "Nothing can be made of the row without its authority."


def test_every_kind_of_dirt_is_put_aside_with_its_reason():
    rows = rows_of(SAMPLES / "CASPS.csv")

    put_aside = {
        (number, column): (reading.reason, reading.proposal)
        for number, readings in enumerate(readings_of(REGISTER, rows))
        for column, reading in readings.items()
        if reading.outcome == Outcome.QUARANTINED
    }

    placing = "f. placing of crypto-assets"
    reception = "g. reception and transmission of orders for crypto-assets on behalf of clients"
    assert put_aside == {
        (2, "ae_lei"): (Reason.MISSING, ""),
        (2, "ae_website"): (Reason.MALFORMED, "https://belgrad.example"),
        (2, "ac_authorisationNotificationDate"): (Reason.MALFORMED, "01/12/2025"),
        (2, "ac_serviceCode"): (Reason.CONTRADICTORY, f"{placing} | {reception}"),
        (3, "ae_lei"): (Reason.MALFORMED, ""),
        (3, "ae_address"): (Reason.DAMAGED, ""),
        (3, "ae_website"): (Reason.MALFORMED, ""),
        (3, "ac_serviceCode_cou"): (Reason.UNKNOWN, ""),
        (3, "ac_lastupdate"): (Reason.IN_FUTURE, "07/01/2026"),
        (4, "ae_competentAuthority"): (Reason.UNKNOWN, ""),
        (4, "ae_website"): (Reason.MALFORMED, ""),
        (4, "ac_serviceCode"): (Reason.MALFORMED, f"{reception} | h. providing advice on crypto-assets"),
        (4, "ac_comments"): (Reason.FORMULA, ""),
    }


@needs_extracts
@pytest.mark.parametrize(("path", "on"), extracts("CASP*.csv"), ids=lambda value: str(value)[-12:])
def test_real_extract_is_read_whole_and_each_row_says_something(path, on):
    rows = rows_of(path)
    readings = readings_of(REGISTER, rows, on)

    assert sum(map(len, readings)) == len(rows) * len(REGISTER.columns)
    assert [statement.set_aside for statement in map(REGISTER.state, readings) if statement.set_aside] == []
    assert [sanity.sentence for sanity in REGISTER.sanities if sanity.is_broken(readings)] == []


@needs_extracts
def test_real_extract_has_the_dirt_that_was_found_by_eye():
    path, on = extracts("CASP20260209.csv")[0]
    rows = rows_of(path)

    put_aside = {
        (row["ae_lei_name"], column)
        for row, readings in zip(rows, readings_of(REGISTER, rows, on), strict=True)
        for column, reading in readings.items()
        if reading.outcome == Outcome.QUARANTINED
    }

    by_column = {column: sorted(name for name, of in put_aside if of == column) for column in REGISTER.columns}
    assert {column: len(names) for column, names in by_column.items() if names} == {
        "ae_lei": 2,
        "ae_commercial_name": 1,
        "ae_address": 2,
        "ae_website": 6,
        "ac_authorisationNotificationDate": 1,
        "ac_serviceCode": 2,
        "ac_serviceCode_cou": 1,
        "ac_lastupdate": 3,
    }


@needs_extracts
@pytest.mark.parametrize(("path", "on"), extracts("CASP20260209.csv"), ids=lambda value: str(value)[-12:])
def test_two_columns_that_are_swapped_do_not_pass(path, on):
    rows = rows_of(path)
    columns = list(REGISTER.columns)
    passed = []

    for place, one in enumerate(columns):
        for other in columns[place + 1 :]:
            swapped = [{**row, one: row[other], other: row[one]} for row in rows]
            readings = readings_of(REGISTER, swapped, on)
            if not _is_held(swapped, readings):
                passed.append((one, other))

    assert not passed, passed


def _is_held(rows, readings):
    """As the frame decides: more than half of a column's filled cells quarantined, or a sanity broken."""
    for column in REGISTER.columns:
        filled = [read[column] for row, read in zip(rows, readings, strict=True) if row[column].strip()]
        put_aside = [reading for reading in filled if reading.outcome == Outcome.QUARANTINED]
        if len(filled) >= 4 and len(put_aside) * 2 > len(filled):
            return True
    return any(sanity.is_broken(readings) for sanity in REGISTER.sanities)
