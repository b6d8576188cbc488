"""The samples of all five registers become records, and are asked for over HTTP."""

import pytest

from regulations.importers.registers import REGISTERS
from regulations.importers.runs import preview, publish
from regulations.models import Citation, Company, CompanyName, RegisterEntry, Source
from tests.importers.esma.reading import ON, SAMPLES

pytestmark = pytest.mark.usefixtures("knowledge")

FILES = {
    "esma-casp": "CASPS.csv",
    "esma-emt": "EMTWP.csv",
    "esma-art": "ARTZZ.csv",
    "esma-other": "OTHER.csv",
    "esma-ncasp": "NCASP.csv",
}


def imported(key):
    run = preview(REGISTERS[key], (SAMPLES / FILES[key]).read_bytes(), FILES[key], ON, "a test")
    return publish(REGISTERS[key], run.pk, "a test", "Read." if run.holds else "")


@pytest.mark.parametrize("key", REGISTERS)
def test_the_sample_of_each_register_is_published_and_then_says_nothing_new(key):
    imported(key)

    again = preview(REGISTERS[key], (SAMPLES / FILES[key]).read_bytes(), FILES[key], ON, "a test")
    assert again is None or again.holds
    assert again is None or not again.changes.exists()


@pytest.mark.parametrize("key", REGISTERS)
def test_each_record_that_a_run_makes_is_cited(key):
    before = set(Company.objects.values_list("pk", flat=True))
    imported(key)

    for company in Company.objects.exclude(pk__in=before):
        assert Citation.objects.filter(company=company, method="import", locator__startswith="row ").exists()
    for entry in RegisterEntry.objects.filter(authorisation__isnull=False):
        assert entry.authorisation.citations.filter(method="import", read_by=key).exists()
    for entry in RegisterEntry.objects.filter(enforcement_action__isnull=False):
        assert entry.enforcement_action.citations.filter(method="import", read_by=key).exists()


def test_a_firm_of_several_rows_has_each_trading_name_once():
    imported("esma-emt")

    names = list(CompanyName.objects.values_list("company", "name"))
    assert len(names) == len(set(names))


def test_a_white_paper_is_a_source_that_its_issuer_published(client):
    imported("esma-other")

    papers = Source.objects.filter(kind="white_paper", register_entries__register="esma-other")
    assert papers.exists()
    for paper in papers:
        shown = client.get(f"/api/v1/sources/{paper.slug}/").json()
        assert shown["publisher"]["slug"] == paper.publishing_company.slug
