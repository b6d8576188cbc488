"""An extract is read, shown, and published all or nothing; what it says is never lost and never made up."""

from datetime import date

import pytest
from django.db import IntegrityError, connection, transaction

from regulations.importers.runs import HeldError, OutdatedError, preview, publish
from regulations.models import (
    Authorisation,
    Change,
    Citation,
    Company,
    Disagreement,
    ImportCell,
    ImportRun,
    RegisterEntry,
    Regulator,
    Revision,
    Ruling,
)
from tests.factories import make_authorisation, make_company, make_company_name
from tests.importers.ledger import ALPHA, BETA, DELTA, GAMMA, as_file, held, imported, ledger, read, row, states

__all__ = ["ledger"]

FIVE = [row(f"Firm {letter}", "", f"2025-01-0{place}") for place, letter in enumerate("ABCDE", start=1)]


def test_a_new_firm_becomes_a_company_with_its_authorisation(ledger):
    imported(ledger, row("Alpha AG", places="YY|ZZ"))

    company = Company.objects.get()
    authorisation = company.authorisations.get()
    assert (company.slug, company.name, company.lei) == ("alpha", "Alpha AG", ALPHA)
    assert authorisation.key == "alpha-xx-fsa-licence"
    assert authorisation.granted_on == date(2025, 1, 2)
    assert {topic.slug for topic in authorisation.activities.all()} == {"custody"}
    assert {place.code for place in authorisation.valid_in.all()} == {"YY", "ZZ"}


def test_an_empty_list_of_places_is_not_established(ledger):
    imported(ledger, row(places=""))

    assert not Authorisation.objects.get().valid_in.exists()


def test_company_and_authorisation_cite_the_extract_and_the_row(ledger):
    imported(ledger, row("Alpha AG"), row("Beta AG", BETA), on=date(2026, 2, 9))

    cited = Citation.objects.filter(authorisation__key="beta-xx-fsa-licence").get()
    assert (cited.source.slug, cited.locator, cited.read_on) == ("xx-xx-ledger-2026-02-09", "row 2", date(2026, 2, 9))
    assert (cited.method, cited.read_by, cited.fields) == ("import", "xx-ledger", [])
    assert Citation.objects.filter(company__isnull=False).count() == 2


def test_a_preview_publishes_nothing(ledger):
    run = read(ledger, row())

    assert states(run) == ["added"]
    assert run.changes.get(kind="authorisation").fields["granted_on"] == [None, "2025-01-02"]
    assert not Company.objects.exists()


def test_all_cells_are_kept_normalised_or_quarantined(ledger):
    run = read(ledger, row(), row("Beta AG", "wrong", "", "juggling"))

    assert (run.kept_count, run.normalised_count, run.quarantined_count, run.cell_count) == (5, 2, 3, 10)
    cells = {cell.column: cell for cell in ImportCell.objects.filter(row__run=run, row__number=2)}
    assert (cells["activities"].raw, cells["activities"].reason) == ("juggling", "unknown")


def test_the_database_refuses_a_run_that_lost_a_cell(ledger):
    run = read(ledger, row())

    ImportCell.objects.filter(row__run=run).last().delete()
    run.save()
    with pytest.raises(IntegrityError, match="3 kept"), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_the_same_file_again_changes_and_records_nothing(ledger):
    imported(ledger, row())
    changes, runs = Change.objects.count(), ImportRun.objects.count()

    assert read(ledger, row()) is None
    assert (Change.objects.count(), ImportRun.objects.count()) == (changes, runs)


def test_another_extract_that_says_the_same_changes_no_record(ledger):
    imported(ledger, row())
    revisions = Revision.objects.count()

    run = imported(ledger, row(), on=date(2026, 1, 8))

    assert states(run) == ["unchanged"]
    assert Revision.objects.count() == revisions


def test_what_is_listed_no_longer_ends_on_the_day_of_the_extract(ledger):
    imported(ledger, row("Alpha AG"), *FIVE)

    imported(ledger, *FIVE, on=date(2026, 1, 8), release_reason="The FSA told us.")

    ended = Authorisation.objects.get(company__name="Alpha AG")
    assert (ended.ended_on, ended.end_reason) == (date(2026, 1, 8), "delisted")
    assert Citation.objects.get(authorisation=ended, locator="not listed").fields == ["end_reason", "ended_on"]


def test_what_is_listed_again_has_not_ended(ledger):
    imported(ledger, row())
    imported(ledger, row("Beta AG", BETA), on=date(2026, 1, 8), release_reason="Checked.")

    imported(ledger, row(), row("Beta AG", BETA), on=date(2026, 1, 15))

    again = Authorisation.objects.get(company__name="Alpha AG")
    assert (again.ended_on, again.end_reason) == (None, "")


@pytest.mark.parametrize("order", [(0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)])
def test_extracts_come_to_the_same_in_any_order(ledger, order):
    extracts = [
        (date(2026, 1, 1), [row("Alpha AG"), row("Beta AG", BETA)]),
        (date(2026, 1, 8), [row("Alpha AG", places="YY"), row("Gamma AG", GAMMA)]),
        (date(2026, 1, 15), [row("Alpha AG", places="ZZ"), row("Gamma AG", GAMMA)]),
    ]

    for place in order:
        on, rows = extracts[place]
        imported(ledger, *rows, on=on, release_reason="Imported in another order.")

    assert held() == {
        "alpha-xx-fsa-licence": ("Alpha AG", "2025-01-02", None),
        "beta-xx-fsa-licence": ("Beta AG", "2025-01-02", "2026-01-08"),
        "gamma-xx-fsa-licence": ("Gamma AG", "2025-01-02", None),
    }
    alpha = Authorisation.objects.get(company__name="Alpha AG")
    assert [place.code for place in alpha.valid_in.all()] == ["ZZ"]


def test_two_authorisations_of_one_firm_stay_two(ledger):
    twice = [row(day="2025-01-02"), row(day="2025-11-21", activities="dealing")]
    imported(ledger, *twice)

    imported(ledger, *twice, on=date(2026, 1, 8))

    assert len(held()) == 2
    assert Company.objects.count() == 1


def test_a_doubled_row_adds_nothing(ledger):
    run = imported(ledger, row(), row())

    assert len(held()) == 1
    assert states(run) == ["added", "added"]


def test_rows_that_contradict_each_other_are_not_both_believed(ledger):
    run = imported(ledger, row(), row(activities="dealing"))

    assert states(run) == ["added", "set_aside"]


def test_a_mended_day_moves_the_authorisation_and_adds_none(ledger):
    imported(ledger, row(day="2025-01-02"), *FIVE)

    imported(ledger, row(day="2025-01-03"), *FIVE, on=date(2026, 1, 8))

    assert [day for name, day, _ in held().values() if name == "Alpha AG"] == ["2025-01-03"]


def test_a_company_of_ours_is_found_by_lei_and_name(ledger):
    ours = make_company(slug="alpha-of-ours", name="Alpha", lei=ALPHA)

    imported(ledger, row("ALPHA AG"))

    assert ours.authorisations.get().key == "alpha-of-ours-xx-fsa-licence"
    ours.refresh_from_db()
    assert (ours.name, ours.legal_name) == ("Alpha", "ALPHA AG")


def test_look_alike_letters_are_one_for_matching_only(ledger):
    ours = make_company(name="Belayer OOD", lei=ALPHA)

    imported(ledger, row("Belayer ООD"))  # the first two letters are Cyrillic

    ours.refresh_from_db()
    assert ours.authorisations.count() == 1
    assert ours.name == "Belayer OOD"


@pytest.mark.parametrize(
    "facts", [{"name": "Another", "lei": ALPHA}, {"name": "Alpha AG"}, {"name": "Alpha AG", "lei": BETA}]
)
def test_where_only_lei_or_name_agrees_the_row_waits_for_a_person(ledger, facts):
    ours = make_company(**facts)

    run = imported(ledger, row())

    assert states(run) == ["waiting"]
    assert not ours.authorisations.exists()
    assert Company.objects.count() == 1


@pytest.mark.parametrize("is_ours", [True, False])
def test_a_person_says_who_a_waiting_row_is(ledger, is_ours):
    ours = make_company(name="Alpha AG")
    read(ledger, row())
    Ruling.objects.create(
        about="firm",
        register=ledger.key,
        name="Alpha AG",
        raw=ALPHA,
        decided_by="me",
        reason="GLEIF",
        company=ours if is_ours else None,
    )

    imported(ledger, row())

    assert ours.authorisations.exists() == is_ours
    assert Company.objects.count() == (1 if is_ours else 2)


def test_a_lei_is_not_given_to_two_firms_whatever_a_person_says(ledger):
    for name in ("Alpha AG", "Omega AG"):
        Ruling.objects.create(
            about="firm", register=ledger.key, name=name, raw=ALPHA, decided_by="me", reason="None of ours."
        )

    run = imported(ledger, row("Alpha AG"), row("Omega AG"))

    assert states(run) == ["added", "waiting"]


def test_a_row_that_waits_ends_nothing(ledger):
    imported(ledger, row("Alpha AG", ""), *FIVE)

    imported(ledger, row("Alpha AG", ALPHA), *FIVE, on=date(2026, 1, 8))

    assert Authorisation.objects.get(company__name="Alpha AG").ended_on is None


def test_a_person_says_what_a_cell_means(ledger):
    imported(ledger, row(activities="kepeing"))
    Ruling.objects.create(
        about="cell",
        register=ledger.key,
        name="Alpha AG",
        column="activities",
        raw="kepeing",
        value="keeping",
        decided_by="me",
        reason="A slip.",
    )

    run = imported(ledger, row(activities="kepeing"))

    assert {topic.slug for topic in Authorisation.objects.get().activities.all()} == {"custody"}
    cell = ImportCell.objects.get(row__run=run, column="activities")
    assert (cell.raw, cell.rule[:7], cell.value) == ("kepeing", "ruling/", ["custody"])


def test_an_editors_value_is_not_overwritten_until_the_register_says_another(ledger):
    imported(ledger, row(), *FIVE)
    Authorisation.objects.filter(company__name="Alpha AG").update(granted_on=date(2025, 3, 3))

    imported(ledger, row(), *FIVE, on=date(2026, 1, 8))
    assert not Disagreement.objects.exists()
    imported(ledger, row(day="2025-04-04"), *FIVE, on=date(2026, 1, 15))

    assert Authorisation.objects.get(company__name="Alpha AG").granted_on == date(2025, 3, 3)
    open_ = Disagreement.objects.get()
    assert (open_.field, open_.ours, open_.theirs) == ("granted_on", "2025-03-03", "2025-04-04")
    assert open_.row.number == 1


def test_a_value_that_no_editor_touched_follows_the_register(ledger):
    imported(ledger, row(activities="keeping"), *FIVE)

    imported(ledger, row(activities="dealing"), *FIVE, on=date(2026, 1, 8))

    alpha = Authorisation.objects.get(company__name="Alpha AG")
    assert {topic.slug for topic in alpha.activities.all()} == {"brokerage"}
    assert Citation.objects.filter(authorisation=alpha, source__slug__endswith="-08").get().fields == ["activities"]


def test_an_authorisation_of_ours_is_adopted_and_a_difference_told(ledger):
    company = make_company(name="Alpha AG", lei=ALPHA)
    facts = {"company": company, "jurisdiction": _of("Jurisdiction", code="XX")}
    ours = make_authorisation(**facts, regulator=_of("Regulator", slug="xx-fsa"), granted_on=date(2025, 1, 1))

    imported(ledger, row(day="2025-01-02"))

    assert list(Authorisation.objects.all()) == [ours]
    assert Disagreement.objects.get(record="authorisation").field == "granted_on"


def test_a_firm_of_two_entries_disagrees_once(ledger):
    make_company(name="Alpha AG", lei=ALPHA, incorporated_in=_of("Jurisdiction", code="YY"))

    imported(ledger, row(day="2025-01-02"), row(day="2025-11-21"))
    imported(ledger, row(day="2025-01-02"), row(day="2025-11-21"), row(day="2025-12-24"), on=date(2026, 1, 8))

    assert [(each.record, each.field) for each in Disagreement.objects.all()] == [("company", "incorporated_in")]


def test_rows_of_a_firm_that_differ_about_it_do_not_change_it_to_and_fro(ledger):
    twice = [row("Alpha AG", day="2025-01-02"), row("ALPHA A.G.", day="2025-11-21")]
    imported(ledger, *twice)
    before = Company.objects.get().legal_name

    run = imported(ledger, *twice, on=date(2026, 1, 8))

    assert states(run) == ["unchanged", "unchanged"]
    assert Company.objects.get().legal_name == before == "Alpha AG"


@pytest.mark.parametrize("spelt", ["ALPHA AG", "Alpha A.G.", "Álpha"])
def test_a_legal_name_spelt_otherwise_is_no_disagreement(ledger, spelt):
    make_company(name="Alpha AG", legal_name=spelt, lei=ALPHA)

    imported(ledger, row("Alpha AG"))

    assert not Disagreement.objects.exists()


def test_a_record_that_an_editor_removed_is_not_brought_back(ledger):
    imported(ledger, row(), *FIVE)
    Authorisation.objects.filter(company__name="Alpha AG").delete()

    run = imported(ledger, row(places="YY"), *FIVE, on=date(2026, 1, 8))

    assert not Authorisation.objects.filter(company__name="Alpha AG").exists()
    assert "removed" in run.rows.first().note


def test_names_that_editors_gave_survive(ledger):
    imported(ledger, row(), *FIVE)
    company = Company.objects.get(lei=ALPHA)
    Company.objects.filter(pk=company.pk).update(slug="alpha-bank", name="Alpha Bank", summary="A bank.")
    make_company_name(company=company, name="Alphabank")

    imported(ledger, row(places="YY"), *FIVE, on=date(2026, 1, 8))

    company.refresh_from_db()
    assert (company.slug, company.name, company.summary) == ("alpha-bank", "Alpha Bank", "A bank.")
    assert company.names.count() == 1


def test_a_key_that_a_company_once_had_is_not_given_again(ledger):
    once = make_company(slug="alpha", name="Once Upon")
    Company.objects.filter(pk=once.pk).update(slug="once-upon")

    imported(ledger, row("Alpha AG"))

    assert Company.objects.get(lei=ALPHA).slug == "alpha-2"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (as_file(row()[:4], columns=["ae_lei_name", "ae_lei", "day", "activities"]), "columns_missing"),
        (
            as_file([*row(), "x"], columns=["ae_lei_name", "ae_lei", "day", "activities", "places", "x"]),
            "columns_unknown",
        ),
        (as_file(row()).replace(b"Alpha", "Älpha".encode("latin-1")), "encoding"),
        (as_file(row()).decode().encode("utf-16"), "encoding"),
        (as_file(row()).replace(b",", b";"), "delimiter"),
        (as_file(row())[:-12], "ragged"),
        (as_file(), "empty"),
    ],
)
def test_a_file_that_is_not_what_it_should_be_is_held_and_kept(ledger, content, code):
    run = preview(ledger, content, "ledger.csv", date(2026, 1, 1), "a test")

    assert [hold["code"] for hold in run.holds] == [code]
    assert bytes(run.extract.content) == content
    with pytest.raises(HeldError):
        publish(ledger, run.pk, "a test", "I want it all the same.")


def test_a_register_that_shrinks_by_more_than_a_twentieth_is_held(ledger):
    imported(ledger, row(), *FIVE)

    run = read(ledger, *FIVE, on=date(2026, 1, 8))

    assert [hold["code"] for hold in run.holds] == ["shrunk"]
    with pytest.raises(HeldError):
        publish(ledger, run.pk, "a test")
    assert Authorisation.objects.filter(ended_on__isnull=False).count() == 0


def test_more_unknown_words_than_last_time_hold_the_run(ledger):
    imported(ledger, row(), *FIVE)

    run = read(ledger, row(), *FIVE, row("New", DELTA, activities="juggling"), on=date(2026, 1, 8))

    assert [hold["code"] for hold in run.holds] == ["unknown_labels"]


def test_a_column_that_holds_something_else_is_held(ledger):
    run = read(ledger, *(row(f"Firm {place}", f"Street {place}") for place in range(9)))

    assert [hold["code"] for hold in run.holds] == ["quarantined"]


def test_a_run_whose_ground_has_moved_is_not_published(ledger):
    run = read(ledger, row())
    make_company(name="Alpha AG")

    with pytest.raises(OutdatedError):
        publish(ledger, run.pk, "a test")

    assert Company.objects.count() == 1


def test_a_record_that_a_rule_forbids_undoes_the_whole_run(ledger):
    run = read(ledger, row(), row("Beta AG", BETA, day="2025-01-02"))
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE regulations_company ADD CHECK (slug <> 'beta')")

    with pytest.raises(IntegrityError), transaction.atomic():
        publish(ledger, run.pk, "a test")

    assert not Company.objects.exists()
    assert not RegisterEntry.objects.exists()


def test_a_place_that_we_do_not_have_is_told_and_left_out(ledger):
    run = imported(ledger, row(places="QQ|YY"))

    assert not Authorisation.objects.get().valid_in.exists()
    assert run.rows.get().note == "valid_in: we have no QQ."


def test_a_body_that_we_do_not_have_is_told_and_left_out(ledger):
    Regulator.objects.filter(slug="xx-fsa").update(slug="xx-other")
    run = read(ledger, row())

    assert run.rows.get().note == "regulator: we have no xx-fsa."


def test_revisions_say_by_which_run_and_of_which_extract(ledger):
    run = imported(ledger, row())

    change = Change.objects.get(actor="xx-ledger")
    assert (change.kind, change.reason) == ("import", f"Ledger of the FSA of X, extract of 2026-01-01, run {run.pk}")


def _of(model, **facts):
    from django.apps import apps

    return apps.get_model("regulations", model).objects.get(**facts)
