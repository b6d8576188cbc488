"""The real extracts: nothing is lost, nothing is made up, and each day of them can be asked about. Run where they are."""

import csv
import io
from collections import Counter
from itertools import pairwise

import pytest
from django.db import transaction

from regulations.importers.registers import REGISTERS
from regulations.importers.runs import preview, publish
from regulations.models import Authorisation, Company, Disagreement, ImportCell, ImportRow
from tests.importers.esma.reading import EXTRACTS, extracts

FILES = {"esma-casp": "CASP*", "esma-emt": "EMT*", "esma-art": "ART*", "esma-other": "OTHER*", "esma-ncasp": "NCASP*"}

pytestmark = [
    pytest.mark.usefixtures("knowledge"),
    pytest.mark.skipif(not EXTRACTS.is_dir(), reason="the real extracts are not beside this repository"),
]


def imported(register, path, on):
    """Import an extract as a person would who has read the preview; the run, or None if there was nothing to do."""
    run = preview(register, path.read_bytes(), path.name, on, "a test")
    return run and publish(register, run.pk, "a test", "Read." if run.holds else "")


def held():
    listed = Authorisation.objects.filter(register_entries__isnull=False).order_by("key")
    return {
        each.key: (
            each.granted_on,
            each.ended_on,
            frozenset(topic.slug for topic in each.activities.all()),
            frozenset(place.code for place in each.valid_in.all()),
        )
        for each in listed.prefetch_related("activities", "valid_in")
    }


@pytest.mark.parametrize("key", REGISTERS)
def test_each_cell_of_each_file_is_kept_normalised_or_put_aside(key):
    for path, on in extracts(f"{FILES[key]}"):
        table = list(csv.reader(io.StringIO(path.read_bytes().decode("utf-8-sig"), newline="")))

        run = preview(REGISTERS[key], path.read_bytes(), path.name, on, "a test")

        cells = Counter(cell for row in table[1:] for cell in row)
        stored = Counter(ImportCell.objects.filter(row__run=run).values_list("raw", flat=True))
        assert stored == cells
        assert run.kept_count + run.normalised_count + run.quarantined_count == cells.total()


def test_five_extracts_give_a_history_that_each_day_can_be_asked_of(client):
    files = extracts("CASP*")
    for path, on in files:
        imported(REGISTERS["esma-casp"], path, on)

    asked = "/api/v1/authorisations/?policy=eu-mica&status=active&page_size=1"
    counts = [client.get(f"{asked}&on={on}").json()["count"] for _, on in files]
    assert all(before < after for before, after in pairwise(counts))
    later = client.get("/api/v1/companies/damex-digital/?expand=citations.source").json()
    assert {cited["source"]["slug"] for cited in later["citations"]} == {"eu-esma-casp-2026-02-09"}
    assert ImportRow.objects.filter(state=ImportRow.State.WAITING).count() == 0


def test_two_rows_of_one_lei_stay_two_authorisations():
    path, on = extracts("CASP*")[0]
    imported(REGISTERS["esma-casp"], path, on)

    euwax = Authorisation.objects.filter(company__lei="529900032TYR45XIEW79")
    assert [str(day) for day in euwax.order_by("granted_on").values_list("granted_on", flat=True)] == [
        "2025-04-01",
        "2025-11-21",
    ]


def test_a_number_that_a_spreadsheet_spoilt_is_no_lei():
    path, on = extracts("CASP*")[0]
    imported(REGISTERS["esma-casp"], path, on)

    assert Company.objects.get(legal_name="OPEN BANK S.A.").lei is None
    assert not Company.objects.filter(lei__startswith="96000").exists()


@pytest.mark.parametrize("order", [(4, 3, 2, 1, 0), (2, 4, 0, 3, 1)])
def test_extracts_in_the_wrong_order_come_to_the_same(order):
    files = extracts("CASP*")
    with transaction.atomic():
        for path, on in files:
            imported(REGISTERS["esma-casp"], path, on)
        wanted = held()
        transaction.set_rollback(True)

    for place in order:
        imported(REGISTERS["esma-casp"], *files[place])

    assert held() == wanted


def test_an_extract_that_was_imported_changes_nothing():
    path, on = extracts("CASP*")[0]
    imported(REGISTERS["esma-casp"], path, on)
    before = held(), Disagreement.objects.count()

    assert imported(REGISTERS["esma-casp"], path, on) is None
    assert (held(), Disagreement.objects.count()) == before
