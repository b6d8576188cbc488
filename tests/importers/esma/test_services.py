import pytest

from regulations.importers.esma.services import services
from regulations.importers.esma.tables import services as known
from regulations.importers.readings import Outcome, Reason
from tests.importers.esma.reading import read

LABELS = {service.letter: f"{service.letter}. {service.phrase}" for service in known()}


@pytest.mark.parametrize("separator", ["|", " | ", "; ", ", ", "\r\n", " I ", " ", ". "])
def test_services_are_parted_by_whatever_stands_between_them(separator):
    reading = read(services(), separator.join([LABELS["a"], LABELS["c"], LABELS["d"]]))

    assert (reading.outcome, reading.value, reading.rule) == (Outcome.NORMALISED, ("a", "c", "d"), "services/1")


@pytest.mark.parametrize(
    "label",
    [
        "a.\tproviding custody and administration of crypto-assets on behalf of clients",
        "a.providing custody and administration of crypto assets on behalf of client",
        "A. PROVIDING CUSTODY AND ADMINISTRATION OF CRYPTO-ASSETS ON BEHALF OF CLIENTS.",
        "providing custody and administration of crypto-assets on behalf of clients",
        "a. providing custody",
    ],
)
def test_service_is_read_by_its_phrase_however_it_is_written(label):
    assert read(services(), label).value == ("a",)


def test_letter_at_the_beginning_of_a_phrase_is_no_letter_of_a_service():
    reading = read(services(), "exchange of crypto-assets for funds")

    assert reading.value == ("c",)


def test_every_service_is_read_with_and_without_its_letter():
    for service in known():
        assert read(services(), LABELS[service.letter]).value == (service.letter,)
        assert read(services(), service.phrase).value == (service.letter,)


def test_letter_that_contradicts_its_phrase_puts_the_cell_aside_with_the_phrases_as_proposal():
    reading = read(services(), f"{LABELS['a']} | e. placing of crypto-assets")

    assert (reading.reason, reading.value) == (Reason.CONTRADICTORY, None)
    assert reading.proposal == f"{LABELS['a']} | {LABELS['f']}"


def test_proposal_is_read_as_it_is_meant():
    proposal = read(services(), f"{LABELS['a']} | e. placing of crypto-assets").proposal

    assert read(services(), proposal).value == ("a", "f")


@pytest.mark.parametrize(
    ("cut_off", "reason", "proposal"),
    [
        ("d. exchange of crypto-assets for", Reason.MALFORMED, LABELS["d"]),
        ("exchange of crypto-assets for", Reason.MALFORMED, ""),
        ("e. exchange of crypto-assets for", Reason.CONTRADICTORY, ""),
        ("providing transfer services", Reason.MALFORMED, LABELS["j"]),
        ("a.", Reason.MALFORMED, LABELS["a"]),
        ("b. mining", Reason.UNKNOWN, ""),
        (f"{LABELS['h']} and more", Reason.MALFORMED, LABELS["h"]),
    ],
)
def test_label_that_is_not_clear_puts_the_cell_aside(cut_off, reason, proposal):
    reading = read(services(), cut_off)

    assert (reading.outcome, reading.reason, reading.proposal) == (Outcome.QUARANTINED, reason, proposal)


def test_phrases_that_run_into_each_other_lose_none():
    reading = read(
        services(),
        "reception and transmission of orders for crypto-assets  providing advice on crypto-assets on behalf of clients",
    )

    assert reading.outcome == Outcome.QUARANTINED
    assert reading.proposal == f"{LABELS['g']} | {LABELS['h']}"


@pytest.mark.parametrize("nothing", ["", " ", "\xa0", " | "])
def test_empty_cell_says_nothing_of_services(nothing):
    assert read(services(), nothing).value is None
    assert read(services(), nothing).outcome != Outcome.QUARANTINED
