"""Of a golden copy only what is asked for is kept, and what is no golden copy is not read."""

from datetime import date

import pytest

from regulations.importers import gleif
from regulations.importers.files import FaultyFileError
from regulations.importers.gleif import day_of
from tests.importers.golden_copy import HEAD, golden_copy, record, sifted
from tests.importers.ledger import ALPHA, BETA, GAMMA


def test_only_records_of_these_leis_are_kept_and_all_rows_counted():
    found = sifted(golden_copy(record(ALPHA, other="Alfa"), record(BETA), record(GAMMA)), [ALPHA])

    assert (found.row_count, list(found.by_lei)) == (3, [ALPHA])
    assert found.by_lei[ALPHA].names == ("Alpha AG", "Alfa")


@pytest.mark.django_db
def test_records_of_a_folded_name_are_kept():
    found = sifted(golden_copy(record(ALPHA, legal_name="ÁLPHA, Ltd."), record(BETA, legal_name="Beta")), [], ["alpha"])

    assert [each.lei for each in found.by_name["alpha"]] == [ALPHA]
    assert not found.by_lei


@pytest.mark.django_db
def test_of_many_namesakes_a_few_are_kept():
    rows = [record(f"{number:020}") for number in range(20)]

    assert len(sifted(golden_copy(*rows), [], ["alpha"]).by_name["alpha"]) == gleif.MOST_NAMESAKES


@pytest.mark.django_db
def test_names_are_folded_in_as_many_queries_as_there_are_chunks(monkeypatch, django_assert_num_queries):
    monkeypatch.setattr(gleif, "CHUNK", 10)
    rows = [record(f"{number:020}", legal_name=f"Firm {number}") for number in range(25)]

    with django_assert_num_queries(3):
        sifted(golden_copy(*rows), [], ["alpha"])


def test_a_file_that_lacks_a_column_is_none():
    head = [column for column in HEAD if column != "Entity.LegalJurisdiction"]

    with pytest.raises(FaultyFileError, match=r"no golden copy of LEI records: it lacks Entity\.LegalJurisdiction\."):
        sifted(golden_copy(head=head))


def test_a_golden_copy_without_rows_is_none():
    with pytest.raises(FaultyFileError, match="no rows"):
        sifted(golden_copy())


def test_a_lei_of_ours_that_stands_twice_stops_the_reading():
    with pytest.raises(FaultyFileError, match=f"{ALPHA} stands in two rows"):
        sifted(golden_copy(record(ALPHA), record(ALPHA, legal_name="Beta AG")), [ALPHA])


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("20260209-0800-gleif-goldencopy-lei2-golden-copy.csv", date(2026, 2, 9)),
        ("2026-02-09.csv", date(2026, 2, 9)),
        ("20261399-0800.csv", None),
        ("golden-copy.csv", None),
    ],
)
def test_day_is_read_from_the_name(name, day):
    assert day_of(name) == day
