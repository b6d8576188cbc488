from datetime import date

from regulations.importers.esma.ncasp import REGISTER
from regulations.importers.readings import Reason
from tests.importers.esma.reading import put_aside, statements_of


def test_row_becomes_a_warning_about_names_and_domains_and_no_company():
    tevere = statements_of(REGISTER, "NCASP.csv")[0]

    [warning] = tevere.things
    assert (tevere.firm.name, tevere.firm.becomes_company) == ("Tevere", False)
    assert warning.apart == "2025-02-12 Tevere"
    assert warning.fields == {
        "regulator": "it-consob",
        "jurisdiction": "IT",
        "kind": "warning",
        "title": "Warning about Tevere",
        "announced_on": date(2025, 2, 12),
        "names": frozenset({"Tevere"}),
        "domains": frozenset({"tevere.example", "tevere1.example"}),
    }


def test_warning_has_all_names_that_are_listed():
    arno = statements_of(REGISTER, "NCASP.csv")[1]

    assert arno.things[0].fields["names"] == frozenset({"Arno", "Po", "Arno Invest"})
    assert arno.things[0].fields["title"] == "Warning about Arno, Po"


def test_warning_says_why_if_the_register_does():
    waal = statements_of(REGISTER, "NCASP.csv")[2]

    assert waal.things[0].fields["summary"] == (
        "Waal Global serves clients without a licence. See https://www.afm.example/waal"
    )
    assert "domains" not in waal.things[0].fields


def test_authority_of_another_state_sets_the_row_aside_though_it_is_listed():
    adige = statements_of(REGISTER, "NCASP.csv")[3]

    assert (adige.firm.name, adige.things) == ("Adige", ())
    assert adige.set_aside == "Nothing can be made of the row without its authority."


def test_every_kind_of_dirt_is_put_aside_with_its_reason():
    assert put_aside(REGISTER, "NCASP.csv") == {
        (1, "ae_lastupdate"): (Reason.CONTRADICTORY, ""),
        (2, "ae_website"): (Reason.MALFORMED, "https://waal.example | https://waal1.example"),
        (3, "ae_competentAuthority"): (Reason.UNKNOWN, ""),
        (3, "ae_decision_date"): (Reason.MISSING, ""),
    }
