"""GLEIF confirms and completes our companies; it overwrites nothing, and what contradicts is told."""

from datetime import date

import pytest

from regulations.importers.leis import Outcome
from regulations.models import (
    Change,
    Citation,
    Company,
    CompanyIdentifier,
    ImportCell,
    Organisation,
    RegisterEntry,
    Revision,
    Ruling,
    Source,
)
from tests.factories import (
    make_company,
    make_company_identifier,
    make_company_name,
    make_jurisdiction,
)
from tests.importers.golden_copy import DAY, checked, published, record, told
from tests.importers.ledger import ALPHA, BETA, GAMMA, LEDGER, ledger, read, row

__all__ = ["ledger"]

pytestmark = pytest.mark.django_db
NEXT_DAY = date(2026, 2, 10)


@pytest.fixture
def germany():
    return make_jurisdiction(code="DE")


def make_whole(germany, **facts):
    """A company of which GLEIF has nothing new to say."""
    places = {"incorporated_in": germany, "headquarters": germany}
    whole = {"slug": "alpha", "name": "Alpha", "legal_name": "Alpha AG", "lei": ALPHA, **places}
    company = make_company(**{**whole, **facts})
    make_company_identifier(company=company, scheme="company_register", jurisdiction=germany, value="HRB12")
    return company


def test_what_is_empty_is_completed_and_cited(germany):
    company = make_company(slug="alpha", name="Alpha", lei=ALPHA)

    assert published(record(ALPHA)) == 1

    company.refresh_from_db()
    assert (company.legal_name, company.incorporated_in, company.headquarters) == ("Alpha AG", germany, germany)
    number = CompanyIdentifier.objects.get(company=company)
    assert (number.scheme, number.jurisdiction, number.value) == ("company_register", germany, "HRB 12")
    citation = Citation.objects.get(company=company)
    assert citation.fields == ["headquarters", "identifiers", "incorporated_in", "legal_name", "lei"]
    assert (citation.source.slug, citation.source.publisher.slug) == ("gleif-golden-copy-2026-02-09", "gleif")
    assert (citation.read_on, citation.method, citation.read_by, citation.locator) == (
        DAY,
        "import",
        "gleif",
        f"LEI {ALPHA}",
    )


def test_completing_is_an_import_and_confirming_a_verification(germany):
    make_whole(germany)
    make_company(slug="beta", name="Beta", lei=BETA)

    published(record(ALPHA), record(BETA, legal_name="Beta SE", number="HRB 13"))

    of = Revision.objects.filter(table=Citation._meta.db_table).values_list("after__company_id", "change__kind")
    slugs = dict(Company.objects.values_list("pk", "slug"))
    assert {slugs[pk]: kind for pk, kind in of} == {"alpha": Change.Kind.VERIFICATION, "beta": Change.Kind.IMPORT}
    assert not Revision.objects.filter(table=Company._meta.db_table, before__slug="alpha").exists()


def test_checking_writes_nothing(germany):
    make_company(slug="alpha", name="Alpha", lei=ALPHA)

    found = checked(record(ALPHA))

    assert [each.outcome for each in found.findings] == [Outcome.COMPLETED]
    assert not Citation.objects.exists()
    assert not Source.objects.exists()
    assert not Organisation.objects.exists()


def test_a_second_run_changes_nothing(germany):
    make_company(slug="alpha", name="Alpha", lei=ALPHA)
    published(record(ALPHA))
    before = Revision.objects.count()

    assert published(record(ALPHA)) == 0
    assert Revision.objects.count() == before


def test_the_citation_moves_on_to_a_newer_golden_copy(germany):
    make_whole(germany)
    published(record(ALPHA))

    published(record(ALPHA), day=NEXT_DAY)

    assert [each.source.slug for each in Citation.objects.all()] == ["gleif-golden-copy-2026-02-10"]


def test_an_older_golden_copy_undoes_nothing(germany):
    make_whole(germany)
    published(record(ALPHA), day=NEXT_DAY)

    assert told(checked(record(ALPHA, status="LAPSED"))) == [
        ("checked against a newer golden copy", "alpha", "That of 2026-02-10 says what holds.")
    ]
    assert published(record(ALPHA)) == 0


@pytest.mark.parametrize(
    ("ours", "theirs", "sentence"),
    [
        ({"legal_name": "Alpha Holding"}, {}, "legal_name: we say “Alpha Holding”, GLEIF “Alpha AG”."),
        ({}, {"jurisdiction": "FR", "number": ""}, "incorporated_in: we say DE, GLEIF FR."),
        ({}, {"headquarters": "FR"}, "headquarters: we say DE, GLEIF FR."),
        ({}, {"number": "HRB 99"}, "company register: we say HRB12, GLEIF HRB 99 (RA000242)."),
        ({}, {"status": "LAPSED"}, f"The registration of {ALPHA} is LAPSED."),
        ({}, {"entity_status": "INACTIVE"}, f"The entity of {ALPHA} is INACTIVE."),
    ],
)
def test_a_contradiction_is_told_and_ours_stays(germany, ours, theirs, sentence):
    company = make_whole(germany, **ours)
    before = Company.objects.filter(pk=company.pk).values().get()

    found = told(checked(record(ALPHA, **theirs)))
    published(record(ALPHA, **theirs))

    assert ("contradicted", "alpha", sentence) in found
    assert Company.objects.filter(pk=company.pk).values().get() == before
    assert [each.value for each in CompanyIdentifier.objects.all()] == ["HRB12"]


@pytest.mark.parametrize("status", ["RETIRED", "MERGED", "ANNULLED", "DUPLICATE", "", "NEW WORD"])
def test_a_registration_that_stands_for_nobody_confirms_nothing(germany, status):
    make_whole(germany)

    assert [outcome for outcome, *_ in told(checked(record(ALPHA, status=status)))] == ["waiting for a person"]
    assert published(record(ALPHA, status=status)) == 0


def test_a_lei_under_another_name_waits_for_a_person(germany):
    make_company(slug="alpha", name="Alpha", lei=ALPHA)

    assert told(checked(record(ALPHA, legal_name="Omega AG"))) == [
        (
            "waiting for a person",
            "alpha",
            f"{ALPHA} is the LEI of “Omega AG”; none of our names is one of its names.",
        )
    ]
    assert published(record(ALPHA, legal_name="Omega AG")) == 0


@pytest.mark.parametrize("name", ["ÁLPHA a.g.", "Αlpha AG", "Alpha"])
def test_names_agree_as_they_are_folded(germany, name):
    make_whole(germany)

    assert [outcome for outcome, *_ in told(checked(record(ALPHA, legal_name=name)))] == ["confirmed"]


def test_any_name_of_both_may_agree(germany):
    company = make_company(slug="alpha", name="The Coin House", lei=ALPHA)
    make_company_name(company=company, name="Alfa")

    published(record(ALPHA, other="ALFA"))

    company.refresh_from_db()
    assert company.legal_name == "Alpha AG"


def test_a_subdivision_does_not_contradict_its_country():
    make_whole(make_jurisdiction(code="US"), slug="alpha")

    found = told(checked(record(ALPHA, jurisdiction="US-DE", headquarters="US")))

    assert [outcome for outcome, *_ in found] == ["confirmed"]


def test_of_a_subdivision_that_we_keep_the_company_is_incorporated_there():
    make_jurisdiction(code="US"), make_jurisdiction(code="US-NY")
    company = make_company(slug="alpha", name="Alpha", lei=ALPHA)

    published(record(ALPHA, jurisdiction="US-NY", headquarters="US"))

    company.refresh_from_db()
    assert (company.incorporated_in.code, company.headquarters.code) == ("US-NY", "US")


def test_a_jurisdiction_that_we_do_not_keep_is_told(germany):
    company = make_company(slug="alpha", name="Alpha", lei=ALPHA)

    assert (
        "waiting for a person",
        "alpha",
        "headquarters: GLEIF says KY, and we have no such jurisdiction.",
    ) in told(checked(record(ALPHA, headquarters="KY")))
    published(record(ALPHA, headquarters="KY"))

    company.refresh_from_db()
    assert company.headquarters is None


def test_what_an_editor_emptied_stays_empty(germany):
    company = make_company(slug="alpha", name="Alpha", legal_name="Alpha GmbH", lei=ALPHA)
    Company.objects.filter(pk=company.pk).update(legal_name="")

    published(record(ALPHA))

    company.refresh_from_db()
    assert (company.legal_name, company.headquarters) == ("", germany)


@pytest.mark.parametrize("authority", ["RA999999", "RA888888", ""])
def test_a_number_of_no_register_is_not_taken(germany, authority):
    make_company(slug="alpha", name="Alpha", lei=ALPHA)

    published(record(ALPHA, authority=authority))

    assert not CompanyIdentifier.objects.exists()


def test_a_number_that_another_company_has_is_told(germany):
    make_company(slug="alpha", name="Alpha", lei=ALPHA)
    make_company_identifier(scheme="company_register", jurisdiction=germany, value="HRB 12")

    published(record(ALPHA))

    assert "company register" in " ".join(sentence for *_, sentence in told(checked(record(ALPHA))))
    assert CompanyIdentifier.objects.count() == 1


def test_a_lei_that_gleif_lacks_is_told():
    make_company(slug="alpha", name="Alpha", lei=ALPHA)

    assert told(checked(record(BETA))) == [("not in GLEIF", "alpha", f"There is no record of the LEI {ALPHA}.")]


def test_a_company_without_lei_gets_a_proposal_and_no_more():
    company = make_company(slug="alpha", name="Alpha", legal_name="ALPHA A.G.")

    assert told(checked(record(ALPHA), record(BETA, legal_name="Beta AG"))) == [
        ("proposed", "alpha", f"“Alpha AG” has the LEI {ALPHA}.")
    ]
    published(record(ALPHA))

    company.refresh_from_db()
    assert company.lei is None


def test_queries_do_not_grow_with_the_companies(germany, django_assert_max_num_queries):
    leis = [ALPHA, BETA, GAMMA]
    for number, lei in enumerate(leis):
        make_company(slug=f"firm-{number}", name=f"Firm {number}", lei=lei)
    rows = [record(lei, legal_name=f"Firm {place}", number=f"HRB {place}") for place, lei in enumerate(leis)]

    # wanted: runs, cells, names and rulings of proposals, LEIs, companies without one, their folding;
    # sifting: none, as no name is asked for; check: companies, names, folding, jurisdictions, revisions, citations,
    # identifiers twice, folding of proposals.
    # Register entries, and their folding.
    with django_assert_max_num_queries(20):
        checked(*rows)


# Cells that a register's rules put aside


@pytest.fixture
def quarantined(ledger):
    """A row of the ledger whose LEI has small letters, which can mean one LEI only."""
    run = read(ledger, row("Alpha AG", ALPHA.lower()))
    ImportCell.objects.filter(row__run=run, column="ae_lei").update(proposal=ALPHA)


def test_a_proposal_that_exists_under_the_name_of_the_row_is_ruled(quarantined):
    published(record(ALPHA))

    ruling = Ruling.objects.get()
    assert (ruling.register, ruling.name, ruling.column, ruling.raw) == (
        LEDGER.key,
        "Alpha AG",
        "ae_lei",
        ALPHA.lower(),
    )
    assert (ruling.value, ruling.decided_by) == (ALPHA, "gleif")
    assert ruling.reason == (
        f"GLEIF golden copy of 2026-02-09: {ALPHA} is ISSUED, last updated 2026-01-30T08:00:00Z,"
        " and its name is “Alpha AG”."
    )


def test_a_ruling_lets_the_row_in(quarantined):
    published(record(ALPHA))

    run = read(LEDGER, row("Alpha AG", ALPHA.lower()))

    assert [cell.outcome for cell in ImportCell.objects.filter(row__run=run, column="ae_lei")] == ["normalised"]


def test_a_ruled_cell_is_not_ruled_again(quarantined):
    published(record(ALPHA))

    assert not checked(record(ALPHA)).findings


@pytest.mark.parametrize(
    ("rows", "outcome"),
    [
        ([record(ALPHA, legal_name="Omega AG")], "waiting for a person"),
        ([record(ALPHA, status="ANNULLED")], "waiting for a person"),
        ([record(BETA)], "not in GLEIF"),
    ],
)
def test_any_other_proposal_is_left_to_a_person(quarantined, rows, outcome):
    assert [found for found, *_ in told(checked(*rows))] == [outcome]

    published(*rows)

    assert not Ruling.objects.exists()


def test_the_lei_of_another_firm_of_the_row_is_compared_with_that_firm(ledger):
    cells = ImportCell.objects.filter(row__run=read(ledger, row("Alpha AG", BETA.lower())))
    cells.filter(column="ae_lei").update(column="ae_lei_casp", proposal=BETA)
    cells.filter(column="activities").update(column="ae_lei_name_casp", raw="Beta AG")

    published(record(BETA, legal_name="Beta AG"))

    ruling = Ruling.objects.get()
    assert (ruling.name, ruling.column, ruling.value) == ("Alpha AG", "ae_lei_casp", BETA)


@pytest.mark.parametrize(
    ("rows", "outcome"),
    [
        ([record(ALPHA)], "confirmed"),
        ([record(ALPHA, legal_name="Omega AG")], "waiting for a person"),
        ([record(ALPHA, status="RETIRED")], "waiting for a person"),
        ([record(BETA)], "not in GLEIF"),
    ],
)
def test_a_lei_of_a_register_that_is_none_of_ours_is_told(rows, outcome):
    make_register_entry("Alpha AG", ALPHA)
    make_register_entry("No LEI AG", "n/a")

    assert [(found, about) for found, about, _ in told(checked(*rows))] == [(outcome, "xx-ledger, Alpha AG")]
    assert published(*rows) == 0


def make_register_entry(name, lei):
    return RegisterEntry.objects.create(register="xx-ledger", kind="warning", name=name, lei=lei)
