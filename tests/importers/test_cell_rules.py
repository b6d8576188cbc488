from datetime import date

import pytest

from regulations.importers.cell_addresses import addresses, host_of
from regulations.importers.cell_leis import is_lei, lei
from regulations.importers.cell_rules import day, names, or_nothing, required, text, word
from regulations.importers.readings import Cell, Outcome, Reason

ON = date(2026, 2, 9)
LEI = "529900ALPENKRYPTO038"


def read(rule, raw, **row):
    return rule(Cell("a_column", raw, row, ON))


def put_aside(rule, raw, **row):
    reading = read(rule, raw, **row)
    assert (reading.outcome, reading.value, bool(reading.explanation)) == (Outcome.QUARANTINED, None, True)
    return reading.reason, reading.proposal


# Texts


def test_plain_text_is_kept():
    assert read(text(), "Ringstraße 1").outcome == Outcome.KEPT


@pytest.mark.parametrize("raw", [" Ringstraße\xa01", "Ringstraße\r\n1 ", "Ringstraße \t 1", "Ring\u200bstraße 1"])
def test_spaces_are_folded(raw):
    reading = read(text(), raw)

    assert (reading.value, reading.rule) == ("Ringstraße 1", "spaces/1")


@pytest.mark.parametrize("raw", ["", " ", "\xa0\r\n"])
def test_empty_cell_says_nothing(raw):
    assert read(text(), raw).value is None
    assert put_aside(required(text()), raw) == (Reason.MISSING, "")


@pytest.mark.parametrize(
    ("raw", "proposal"),
    [
        ("L\ufffdwengasse", ""),
        ("L\x00we", ""),
        ("Stra?e 1", ""),
        ("abc\u202edef", ""),
        ("LÃ¶wengasse", "Löwengasse"),
        ("Kraken â€“ Exchange", "Kraken – Exchange"),
        ("Å\xa0ibenik, ÄŒakovec", "Šibenik, Čakovec"),
    ],
)
def test_damaged_letter_is_not_guessed(raw, proposal):
    assert put_aside(text(), raw) == (Reason.DAMAGED, proposal)


@pytest.mark.parametrize("raw", ["Löwengasse", "CAFÉ»", "Ærø", "Белград ООD", "Îles-de-la-Madeleine", "Who? Me"])
def test_letters_that_only_look_strange_are_kept(raw):
    assert read(text(), raw).outcome == Outcome.KEPT


@pytest.mark.parametrize("raw", ['=HYPERLINK("x")', "@SUM(A1)", "+cmd|x", "-(1)", " =1", "-A1"])
def test_formula_is_put_aside_in_every_column(raw):
    for rule in (text(), names(), lei(), day(), addresses()):
        assert put_aside(rule, raw) == (Reason.FORMULA, "")


def test_plus_before_a_number_is_no_formula():
    assert read(text(), "+49 30 1234").outcome == Outcome.KEPT


def test_names_are_read_each_once_in_their_order():
    assert read(names(), "Spree | Havel||Spree").value == ("Spree", "Havel")


def test_text_that_is_too_long_for_its_field_is_put_aside():
    assert put_aside(text(5), "123456") == (Reason.MALFORMED, "")
    assert put_aside(names(5), "1|123456") == (Reason.MALFORMED, "")


def test_placeholder_says_nothing():
    reading = read(or_nothing(day(), {"n/a"}), " N/A")

    assert (reading.value, reading.rule) == (None, "nothing/1")


def test_word_is_read_by_its_table_whatever_its_case():
    yes_no = word({"yes": True, "no": False}, "yes-no/1", "answers")

    assert [read(yes_no, raw).value for raw in ("YES", "no ", "")] == [True, False, None]
    assert put_aside(yes_no, "maybe") == (Reason.UNKNOWN, "")


# Days


@pytest.mark.parametrize("raw", ["09/02/2026", " 09/02/2026\xa0"])
def test_day_of_the_extract_is_not_in_the_future(raw):
    assert read(day(), raw).value == ON


@pytest.mark.parametrize(
    ("raw", "reason", "proposal"),
    [
        ("10/02/2026", Reason.IN_FUTURE, ""),
        ("01/07/2026", Reason.IN_FUTURE, "07/01/2026"),
        ("03/02/2027", Reason.IN_FUTURE, ""),
        ("31/12/2026", Reason.IN_FUTURE, ""),
        ("01/12/.2025", Reason.MALFORMED, "01/12/2025"),
        ("2025-12-01", Reason.MALFORMED, "01/12/2025"),
        ("31/02/2025", Reason.MALFORMED, ""),
        ("1/2/2025", Reason.MALFORMED, ""),
        ("45000", Reason.MALFORMED, ""),
        ("٠١/٠٢/٢٠٢٥", Reason.MALFORMED, ""),
        ("01/02/0025", Reason.MALFORMED, ""),
    ],
)
def test_day_that_cannot_be_is_put_aside(raw, reason, proposal):
    assert put_aside(day(), raw) == (reason, proposal)


def test_day_before_another_of_its_row_contradicts_it():
    rule = day(not_before="granted")

    assert read(rule, "02/01/2026", granted="02/01/2026").value == date(2026, 1, 2)
    assert put_aside(rule, "01/01/2026", granted="02/01/2026") == (Reason.CONTRADICTORY, "")
    assert read(rule, "01/01/2026", granted="unreadable").value == date(2026, 1, 1)


# LEIs


def test_lei_is_kept_and_a_dot_at_its_end_is_taken_off():
    assert read(lei(), LEI).outcome == Outcome.KEPT
    assert (read(lei(), f" {LEI}. ").value, read(lei(), f" {LEI}. ").rule) == (LEI, "lei/1")


@pytest.mark.parametrize(
    ("raw", "reason", "proposal"),
    [
        ("9.60E+19", Reason.MALFORMED, ""),
        (LEI[:-1], Reason.MALFORMED, ""),
        (f"{LEI[:4]}0{LEI[4:]}", Reason.MALFORMED, LEI),
        (LEI.lower(), Reason.MALFORMED, LEI),
        (LEI.replace("O", "0"), Reason.CHECK_DIGITS, LEI),
        (LEI.replace("RYP", "PYR"), Reason.CHECK_DIGITS, ""),
        ("7404987 (US Deleware File Number)", Reason.MALFORMED, ""),
        (".", Reason.MALFORMED, ""),
        ("X" * 1000, Reason.MALFORMED, ""),
    ],
)
def test_lei_is_never_repaired_only_proposed(raw, reason, proposal):
    assert put_aside(lei(), raw) == (reason, proposal)


def test_lei_that_can_be_meant_in_two_ways_is_not_proposed():
    ambiguous = "0I0SSGI550I52B5IZG37"

    assert is_lei("QI0SSGI550I52B5IZG37")
    assert is_lei("0I0SSGI550152B5IZG37")
    assert put_aside(lei(), ambiguous) == (Reason.CHECK_DIGITS, "")


# Addresses


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        ("https://a.example/x?y=1#z", ("https://a.example/x?y=1#z",)),
        ("www.a.example ", ("https://www.a.example",)),
        ("a.example/white-paper", ("https://a.example/white-paper",)),
        ("https://a.example | http://b.example|", ("https://a.example", "http://b.example")),
        ("www.a.example\r\nwww.b.example", ("https://www.a.example", "https://www.b.example")),
        ("https://a.example, https://b.example", ("https://a.example", "https://b.example")),
        ("https://münchen.example", ("https://münchen.example",)),
        ("https://a.example|https://a.example", ("https://a.example",)),
    ],
)
def test_addresses_are_read_with_their_scheme(raw, found):
    reading = read(addresses(), raw)

    assert (reading.value, reading.rule) == (found, "addresses/1")


@pytest.mark.parametrize(
    ("raw", "proposal"),
    [
        ("https.//a.example", "https://a.example"),
        ("https:/a.example/x", "https://a.example/x"),
        ("ttps://a.example|b.example", "https://a.example | https://b.example"),
        ("Spree – die erste Bank", ""),
        (" 75012 Paris", ""),
        ("https://a.example (upcoming)", ""),
        ("white-paper.pdf", ""),
        ("javascript:alert(1)", ""),
        ("https://user:secret@a.example", ""),
        ("https://localhost/", ""),
        ("1.2", ""),
        ("https://a.example/" + "x" * 600, ""),
    ],
)
def test_what_is_no_address_never_becomes_one(raw, proposal):
    assert put_aside(addresses(), raw) == (Reason.MALFORMED, proposal)


def test_host_is_in_small_letters_and_without_a_port():
    assert host_of("https://WWW.A.example:8080/x") == "www.a.example"
