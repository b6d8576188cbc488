from datetime import date

from regulations.importers.esma.casp import REGISTER
from regulations.importers.readings import Reason
from tests.importers.esma.reading import SAMPLES, put_aside, readings_of, rows_of, statements_of


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
    placing = "f. placing of crypto-assets"
    reception = "g. reception and transmission of orders for crypto-assets on behalf of clients"
    assert put_aside(REGISTER, "CASPS.csv") == {
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
