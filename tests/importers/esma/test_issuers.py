from datetime import date

import pytest

from regulations.importers.esma import art, emt
from regulations.importers.readings import Outcome, Reason
from tests.importers.esma.reading import SAMPLES, put_aside, readings_of, rows_of, statements_of


def test_row_becomes_a_firm_its_authorisation_and_a_white_paper():
    moldau = statements_of(emt.REGISTER, "EMTWP.csv")[0]

    permission, paper = moldau.things
    assert (moldau.firm.name, moldau.firm.trading_names) == ("Moldau Pay SE", ("Moldau",))
    assert permission.fields == {
        "regulator": "cz-cnb",
        "jurisdiction": "CZ",
        "kind": "listed",
        "activities": frozenset({"stablecoin-issuance"}),
        "granted_on": date(2017, 4, 26),
        "ended_on": None,
    }
    assert paper.apart == "https://moldau.example/paper-a.pdf"
    assert paper.fields == {
        "title": "White paper: Moldau Pay SE",
        "kind": "white_paper",
        "published_on": date(2025, 5, 17),
        "url": "https://moldau.example/paper-a.pdf",
    }


@pytest.mark.parametrize(
    ("day", "policy"),
    [("29/06/2024", None), ("30/06/2024", "eu-mica"), ("01/07/2024", "eu-mica"), ("", "eu-mica")],
)
def test_permission_from_before_mica_applied_is_not_under_it(day, policy):
    row = rows_of(SAMPLES / "EMTWP.csv")[0] | {"ac_authorisationNotificationDate": day}

    permission = emt.REGISTER.state(readings_of(emt.REGISTER, [row])[0]).things[0]

    assert permission.fields.get("policy") == policy


def test_rows_of_one_issuer_say_the_same_of_its_authorisation():
    first, second = statements_of(emt.REGISTER, "EMTWP.csv")[:2]

    assert (first.firm, first.things[0]) == (second.firm, second.things[0])
    assert first.things[1].apart != second.things[1].apart


def test_word_that_there_is_no_white_paper_is_kept_and_makes_none():
    cell = readings_of(emt.REGISTER, rows_of(SAMPLES / "EMTWP.csv"))[2]["wp_url"]

    assert (cell.outcome, cell.value) == (Outcome.KEPT, "EMT_NO_WP")
    assert len(statements_of(emt.REGISTER, "EMTWP.csv")[2].things) == 1


def test_words_are_one_however_they_are_written():
    first, second = readings_of(emt.REGISTER, rows_of(SAMPLES / "EMTWP.csv"))[:2]

    assert first["ae_exemption48_4"].value is second["ae_exemption48_4"].value is True
    assert first["ae_exemption48_5"].value is second["ae_exemption48_5"].value is False
    assert first["ae_authorisation_other_emt"].value == "Electronic money institution"
    assert second["ae_DTI"].value == ("9XDHG5RZQ", "8TF1FZX7H")
    assert second["ac_authorisationEndDate"].rule == "nothing/1"


def test_every_kind_of_dirt_is_put_aside_with_its_reason():
    assert put_aside(emt.REGISTER, "EMTWP.csv") == {
        (2, "ae_exemption48_5"): (Reason.UNKNOWN, ""),
        (2, "ae_authorisation_other_emt"): (Reason.UNKNOWN, ""),
        (2, "ae_DTI_FFG"): (Reason.MALFORMED, ""),
        (2, "ae_DTI"): (Reason.MALFORMED, ""),
        (3, "ac_authorisationEndDate"): (Reason.CONTRADICTORY, ""),
        (3, "wp_url"): (Reason.MALFORMED, ""),
        (3, "wp_authorisationNotificationDate"): (Reason.MALFORMED, ""),
    }


def test_end_that_cannot_be_read_is_not_said():
    assert "ended_on" not in statements_of(emt.REGISTER, "EMTWP.csv")[3].things[0].fields


def test_issuer_of_asset_referenced_tokens_is_read_alike():
    [ebro] = statements_of(art.REGISTER, "ARTZZ.csv")

    assert ebro.things[0].fields["regulator"] == "es-bde"
    assert ebro.things[1].fields["url"] == "https://www.ebro.example/paper"
    assert put_aside(art.REGISTER, "ARTZZ.csv") == {}


@pytest.mark.parametrize(("register", "may_be_empty"), [(art.REGISTER, True), (emt.REGISTER, False)])
def test_only_the_register_of_asset_referenced_tokens_may_be_empty(register, may_be_empty):
    assert register.may_be_empty == may_be_empty
