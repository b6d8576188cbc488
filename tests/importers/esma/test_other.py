from regulations.importers.esma.other import REGISTER
from regulations.importers.readings import Reason
from tests.importers.esma.reading import put_aside, statements_of


def test_white_paper_is_the_issuers_and_names_the_offeror():
    lech = statements_of(REGISTER, "OTHER.csv")[0]

    [paper] = lech.things
    assert (lech.firm.name, lech.firm.lei) == ("Lech Token GmbH", "529900LECHTOKEN00023")
    assert lech.firm.fields == {"legal_name": "Lech Token GmbH", "incorporated_in": "AT"}
    assert [(other.name, other.lei) for other in paper.others] == [("Shannon Exchange Ltd", "635400SHANNONX000012")]
    assert paper.fields == {
        "title": "White paper: Lech Token GmbH",
        "kind": "white_paper",
        "url": "https://lech.example/paper?x=1",
    }


def test_white_papers_without_an_issuer_are_the_offerors_one_for_each_address():
    shannon = statements_of(REGISTER, "OTHER.csv")[1]

    assert shannon.firm.name == "Shannon Exchange Ltd"
    assert [thing.apart for thing in shannon.things] == ["https://shannon.example/a", "https://shannon.example/b"]
    assert shannon.things[0].others == ()


def test_row_without_a_firm_or_an_address_is_set_aside_with_a_sentence():
    statements = statements_of(REGISTER, "OTHER.csv")

    assert [statement.set_aside for statement in statements] == [
        "",
        "",
        "The row names neither an issuer nor an offeror that can be read.",
        "The row has no address of a white paper that can be read.",
        "The row names neither an issuer nor an offeror that can be read.",
        "The row names neither an issuer nor an offeror that can be read.",
    ]
    assert (statements[3].firm.name, statements[3].firm.fields["incorporated_in"]) == ("Boyne Foundation", "VG")


def test_every_kind_of_dirt_is_put_aside_with_its_reason():
    assert put_aside(REGISTER, "OTHER.csv") == {
        (3, "ae_lei"): (Reason.MALFORMED, ""),
        (3, "wp_url"): (Reason.MALFORMED, ""),
        (3, "wp_lastupdate"): (Reason.IN_FUTURE, "07/01/2026"),
        (4, "ae_lei_name"): (Reason.MALFORMED, ""),
        (4, "ae_lei_cou_code"): (Reason.UNKNOWN, ""),
        (4, "ae_DTI_FFG"): (Reason.MALFORMED, ""),
        (4, "wp_url"): (Reason.MALFORMED, "https://stiftung.example/p"),
        (5, "ae_lei_name"): (Reason.MALFORMED, ""),
        (5, "ae_lei"): (Reason.MALFORMED, ""),
        (5, "ae_lei_name_casp"): (Reason.DAMAGED, ""),
        (5, "ae_offerCode_cou"): (Reason.UNKNOWN, ""),
        (5, "ae_DTI"): (Reason.MALFORMED, ""),
        (5, "wp_comments"): (Reason.FORMULA, ""),
    }
