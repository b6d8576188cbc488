"""Registers in the admin: a file is brought, read by a person, decided upon and published, all or nothing."""

from datetime import date

import pytest
from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from regulations.importers.registers import REGISTERS
from regulations.models import (
    Authorisation,
    Change,
    Citation,
    Company,
    Disagreement,
    ImportCell,
    ImportRow,
    ImportRun,
    RegisterEntry,
    Revision,
    Ruling,
)
from tests.admin.test_pages import queries_of
from tests.factories import make_company, make_topic
from tests.importers.ledger import ALPHA, BETA, as_file, imported, ledger, read, row

__all__ = ["ledger"]

ADD = "/admin/regulations/importrun/add/"
FIVE = [row(f"Firm {letter}", "", f"2025-01-0{place}") for place, letter in enumerate("ABCDE", start=1)]
CANARY = "<script>alert('canary')</script>"
MODELS = [ImportRun, ImportRow, ImportCell, Disagreement, RegisterEntry, Ruling]


@pytest.fixture
def register(ledger, monkeypatch):
    monkeypatch.setitem(REGISTERS, ledger.key, ledger)
    return ledger


@pytest.fixture
def reader(client):
    """A client of somebody on the staff who may view everything and change nothing."""
    person = User.objects.create_user("reader", password="x", is_staff=True)
    person.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    client.force_login(person)
    return client


def page_of(record, name="change"):
    return reverse(f"admin:regulations_{record._meta.model_name}_{name}", args=[record.pk])


def list_of(model):
    return reverse(f"admin:regulations_{model._meta.model_name}_changelist")


def bring(client, content, register="xx-ledger", name="ledger-2026-01-01.csv", **said):
    file = SimpleUploadedFile(name, content, "text/csv")
    return client.post(ADD, {"register": register, "file": file, "on": "", **said})


def text_of(response):
    return response.content.decode()


# A file is brought


def test_a_file_is_read_and_nothing_is_published(register, admin_client, admin_user):
    answer = bring(admin_client, as_file(row()))

    run = ImportRun.objects.get()
    assert answer.headers["Location"] == page_of(run)
    assert (run.made_by, run.extract.on) == (admin_user.username, date(2026, 1, 1))
    assert not Company.objects.exists()
    page = text_of(admin_client.get(page_of(run)))
    assert "5 cells = 3 kept + 2 normalised by a named rule + 0 quarantined" in page
    assert "To be published" in page


def test_the_day_is_asked_for_if_the_name_tells_none(register, admin_client):
    answer = bring(admin_client, as_file(row()), name="ledger.csv")

    assert "tells no day" in text_of(answer)
    assert bring(admin_client, as_file(row()), name="ledger.csv", on="2026-01-01").status_code == 302


@pytest.mark.parametrize(
    ("content", "said", "words"),
    [
        (b"PK\x03\x04", {}, "zip archive"),
        (b"a,b\n\0,1\n", {}, "NUL byte"),
        (b"<html>", {}, "web page"),
        (as_file(row()), {"on": "2999-01-01"}, "still to come"),
        (as_file(row()), {"on": "1/2/2026"}, "Write the day as year"),
        (as_file(row()), {"register": "esma"}, "not one of the available choices"),
        (b"", {}, "empty"),
    ],
)
def test_a_file_that_is_refused_is_told_at_the_form(register, admin_client, content, said, words):
    answer = bring(admin_client, content, **said)

    assert answer.status_code == 200
    assert words in text_of(answer)
    assert not ImportRun.objects.exists()


def test_a_file_that_is_too_large_is_refused_before_it_is_read(register, admin_client, monkeypatch):
    monkeypatch.setattr("regulations.admin.import_runs.MOST_UPLOADED", 10)

    assert "MiB" in text_of(bring(admin_client, as_file(row())))
    assert not ImportRun.objects.exists()


def test_a_body_that_no_register_has_is_refused_unread(register, admin_client):
    assert admin_client.post(ADD, CONTENT_LENGTH=str(2**30)).status_code == 413
    assert admin_client.post(list_of(ImportRun), CONTENT_LENGTH=str(2**22)).status_code == 413


def test_the_same_file_again_leads_to_its_run(register, admin_client):
    run = imported(register, row())

    answer = bring(admin_client, as_file(row()))

    assert answer.headers["Location"] == page_of(run)
    assert ImportRun.objects.count() == 1


def test_the_file_is_given_back_as_it_came_and_never_rendered(register, admin_client):
    run = read(register, row(CANARY))

    answer = admin_client.get(page_of(run, "file"))

    assert answer.content == as_file(row(CANARY))
    assert answer.headers["Content-Type"].startswith("text/csv")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="xx-ledger-2026-01-01.csv"'
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


# It is published


def test_a_run_is_published_by_who_may(register, admin_client, admin_user):
    run = read(register, row())

    asked = admin_client.get(page_of(run, "publish"))
    assert "2 added, 0 changed, 0 ended" in text_of(asked)
    assert not Authorisation.objects.exists()
    admin_client.post(page_of(run, "publish"))

    run.refresh_from_db()
    assert run.published_at
    assert Authorisation.objects.count() == 1
    assert f"by {admin_user.username}:" in text_of(admin_client.get(page_of(run)))


def test_a_held_run_is_published_with_a_reason_only(register, admin_client, admin_user):
    imported(register, row(), *FIVE)
    run = read(register, *FIVE, on=date(2026, 1, 8))

    assert "are not listed" in text_of(admin_client.get(page_of(run)))
    admin_client.post(page_of(run, "publish"), {"reason": " "})
    run.refresh_from_db()
    assert not run.published_at
    admin_client.post(page_of(run, "publish"), {"reason": "The FSA told us."})

    run.refresh_from_db()
    assert (run.released_by, run.release_reason) == (admin_user.username, "The FSA told us.")
    assert run.published_at


def test_a_run_of_which_nothing_was_read_is_not_offered(register, admin_client):
    run = read(register)

    page = text_of(admin_client.get(page_of(run)))
    assert "Nothing read" in page
    assert page_of(run, "publish") not in page
    admin_client.post(page_of(run, "publish"), {"reason": "All the same."})
    run.refresh_from_db()
    assert not run.published_at


def test_a_run_whose_ground_has_moved_is_told_to_be_read_again(register, admin_client):
    run = read(register, row())
    make_company(name="Alpha AG")

    answer = admin_client.post(page_of(run, "publish"), follow=True)

    assert "read it again" in text_of(answer)
    assert not Authorisation.objects.exists()


# Who may do what


@pytest.mark.parametrize("name", ["publish", "again"])
def test_who_may_only_view_publishes_and_reads_nothing(register, reader, name):
    run = read(register, row())

    page = text_of(reader.get(page_of(run)))
    assert page_of(run, name) not in page
    assert reader.post(page_of(run, name)).status_code == 403
    assert reader.get(page_of(run, "publish")).status_code == 403
    assert reader.get(ADD).status_code == 403
    assert bring(reader, as_file(row())).status_code == 403


def test_who_may_only_view_decides_nothing(register, reader):
    make_company(name="Alpha AG")
    run = read(register, row(activities="juggling"))
    waiting, cell = run.rows.get(), ImportCell.objects.get(row__run=run, outcome="quarantined")

    for page in (page_of(waiting), page_of(cell)):
        assert reader.get(page).status_code == 200
        assert reader.post(page, {"who": "none", "value": "keeping", "reason": "Mine."}).status_code == 403
    assert not Ruling.objects.exists()


@pytest.mark.parametrize("name", ["publish", "again", "file", "change"])
def test_nobody_enters_without_log_in(register, client, name):
    run = read(register, row())

    assert client.get(page_of(run, name)).headers["Location"].startswith("/admin/login/?next=")


def test_staff_without_permission_sees_no_run(register, client):
    run = read(register, row())
    client.force_login(User.objects.create_user("newcomer", password="x", is_staff=True))

    for url in [list_of(ImportRun), page_of(run), page_of(run, "file"), page_of(run.rows.get())]:
        assert client.get(url).status_code == 403, url


def test_a_link_neither_reads_nor_publishes(register, admin_client):
    run = read(register, row())

    assert admin_client.get(page_of(run, "again")).status_code == 405
    admin_client.get(page_of(run, "publish"))
    assert ImportRun.objects.filter(published_at__isnull=True).count() == 1


# People decide


@pytest.mark.parametrize("is_ours", [True, False])
def test_a_person_says_who_a_row_is_about(register, admin_client, admin_user, is_ours):
    ours = make_company(name="Alpha AG")
    run = read(register, row())
    waiting = run.rows.get()
    assert f"?who={ours.pk}" in text_of(admin_client.get(page_of(run)))

    said = {"who": str(ours.pk) if is_ours else "none", "reason": "GLEIF says so.", "next": page_of(run)}
    answer = admin_client.post(page_of(waiting), said)

    assert answer.headers["Location"] == page_of(run)
    ruling = Ruling.objects.get()
    assert (ruling.decided_by, ruling.company) == (admin_user.username, ours if is_ours else None)
    admin_client.post(page_of(run, "again"))
    again = ImportRun.objects.first()
    assert again.rows.get().state == "added"
    admin_client.post(page_of(again, "publish"))
    assert ours.authorisations.exists() == is_ours


def test_a_company_beyond_the_candidates_is_looked_up(register, admin_client):
    make_company(name="Alpha AG")
    another = make_company(name="Alpha Holding")
    waiting = read(register, row()).rows.get()

    refused = admin_client.post(page_of(waiting), {"who": "another", "reason": "Its site says so."})
    assert "Look up which company" in text_of(refused)
    admin_client.post(page_of(waiting), {"who": "another", "company": another.pk, "reason": "Its site says so."})

    assert Ruling.objects.get().company == another


def test_a_decision_needs_a_reason(register, admin_client):
    make_company(name="Alpha AG")
    run = read(register, row(activities="juggling"))

    for record in (run.rows.get(), ImportCell.objects.get(row__run=run, outcome="quarantined")):
        answer = admin_client.post(page_of(record), {"who": "none", "value": "keeping", "reason": ""})
        assert "This field is required" in text_of(answer)
    assert not Ruling.objects.exists()


def test_a_person_says_what_a_cell_means(register, admin_client, admin_user):
    run = read(register, row(activities="kepeing"))
    cell = ImportCell.objects.get(row__run=run, outcome="quarantined")

    refused = admin_client.post(page_of(cell), {"value": "juggling", "reason": "A slip."})
    assert "would be put aside as well: juggling is not known" in text_of(refused)
    admin_client.post(page_of(cell), {"value": "keeping", "reason": "A slip."})

    ruling = Ruling.objects.get()
    assert (ruling.name, ruling.column, ruling.raw, ruling.value) == ("Alpha AG", "activities", "kepeing", "keeping")
    assert "has decided this" in text_of(admin_client.get(page_of(cell)))
    admin_client.post(page_of(run, "again"))
    assert ImportRun.objects.first().quarantined_count == 0


def test_a_decision_is_changed_and_taken_back(register, admin_client):
    run = read(register, row(activities="kepeing"))
    cell = ImportCell.objects.get(row__run=run, outcome="quarantined")
    admin_client.post(page_of(cell), {"value": "keeping", "reason": "A slip."})
    ruling = Ruling.objects.get()

    assert admin_client.get(list_of(Ruling)).status_code == 200
    admin_client.post(page_of(ruling), {"value": "dealing", "reason": "Looked again."})
    ruling.refresh_from_db()
    assert (ruling.value, ruling.reason, ruling.register) == ("dealing", "Looked again.", "xx-ledger")
    admin_client.post(page_of(ruling, "delete"), {"post": "yes"})

    assert not Ruling.objects.exists()


def test_the_queues_show_what_waits_in_the_last_reading(register, admin_client):
    make_company(name="Alpha AG")
    read(register, row(), row("Beta AG", BETA, activities="kepeing"))
    read(register, row(), row("Beta AG", BETA, activities="juggling"))

    assert "Alpha AG" in text_of(admin_client.get(list_of(ImportRow)))
    quarantine = text_of(admin_client.get(list_of(ImportCell)))
    assert "juggling" in quarantine
    assert "kepeing" not in quarantine
    assert 'title="Waiting for a person">1<' in text_of(admin_client.get("/admin/"))


# Where both say something


@pytest.fixture
def disagreement(register):
    imported(register, row(), *FIVE)
    Authorisation.objects.filter(company__name="Alpha AG").update(granted_on=date(2025, 3, 3))
    imported(register, row(day="2025-04-04"), *FIVE, on=date(2026, 1, 15))
    return Disagreement.objects.get()


def test_both_values_and_their_evidence_stand_side_by_side(disagreement, admin_client):
    page = text_of(admin_client.get(page_of(disagreement)))

    assert "3 March 2025" in page
    assert "4 April 2025" in page
    assert "Ledger of the FSA of X, extract of 2026-01-01" in page
    assert "Row 1 of the" in page


def test_ours_stays(disagreement, admin_client, admin_user):
    admin_client.post(page_of(disagreement), {"outcome": "ours", "reason": "The FSA's letter."})

    disagreement.refresh_from_db()
    assert (disagreement.outcome, disagreement.settled_by) == ("ours", admin_user.username)
    assert Authorisation.objects.get(company__name="Alpha AG").granted_on == date(2025, 3, 3)


def test_theirs_is_taken_over_and_cited(disagreement, admin_client, admin_user):
    admin_client.post(page_of(disagreement), {"outcome": "theirs", "reason": "They mended it."})

    disagreement.refresh_from_db()
    alpha = Authorisation.objects.get(company__name="Alpha AG")
    assert (disagreement.outcome, alpha.granted_on) == ("theirs", date(2025, 4, 4))
    cited = Citation.objects.get(authorisation=alpha, fields=["granted_on"])
    assert (cited.source.slug, cited.locator) == ("xx-xx-ledger-2026-01-15", "row 1")
    change = Revision.objects.filter(table="regulations_authorisation", row_id=alpha.pk).latest("pk").change
    assert (change.actor, change.kind, change.reason) == (
        admin_user.username,
        Change.Kind.CORRECTION,
        "They mended it.",
    )


def test_a_list_of_theirs_is_taken_over(register, admin_client):
    imported(register, row(), *FIVE)
    alpha = Authorisation.objects.get(company__name="Alpha AG")
    alpha.activities.set([make_topic(slug="ours")])
    imported(register, row(activities="dealing"), *FIVE, on=date(2026, 1, 15))

    admin_client.post(page_of(Disagreement.objects.get()), {"outcome": "theirs", "reason": "They know."})

    assert [topic.slug for topic in alpha.activities.all()] == ["brokerage"]


def test_what_a_rule_of_ours_forbids_is_not_taken_over(disagreement, admin_client):
    Authorisation.objects.filter(company__name="Alpha AG").update(ended_on=date(2025, 4, 1))

    answer = admin_client.post(page_of(disagreement), {"outcome": "theirs", "reason": "They mended it."})

    assert answer.status_code == 200
    assert "Must" in text_of(answer) or "after" in text_of(answer)
    disagreement.refresh_from_db()
    assert disagreement.outcome == ""
    assert Authorisation.objects.get(company__name="Alpha AG").granted_on == date(2025, 3, 3)


def test_what_is_settled_stays_settled(disagreement, admin_client):
    admin_client.post(page_of(disagreement), {"outcome": "ours", "reason": "A letter."})
    admin_client.post(page_of(disagreement), {"outcome": "theirs", "reason": "No."})

    disagreement.refresh_from_db()
    assert (disagreement.outcome, disagreement.reason) == ("ours", "A letter.")


def test_who_may_only_view_settles_nothing(disagreement, reader):
    assert reader.get(page_of(disagreement)).status_code == 200
    assert reader.post(page_of(disagreement), {"outcome": "ours", "reason": "Mine."}).status_code == 403
    disagreement.refresh_from_db()
    assert disagreement.outcome == ""


def test_who_may_not_change_the_record_takes_nothing_over(disagreement, client):
    person = User.objects.create_user("settler", password="x", is_staff=True)
    codes = ["view_disagreement", "change_disagreement"]
    person.user_permissions.set(Permission.objects.filter(codename__in=codes))
    client.force_login(person)

    assert client.post(page_of(disagreement), {"outcome": "theirs", "reason": "Mine."}).status_code == 403
    assert client.post(page_of(disagreement), {"outcome": "ours", "reason": "Mine."}).status_code == 302


# What a file says is not believed


def test_nothing_that_a_file_says_is_markup(register, admin_client):
    make_company(name=CANARY)
    imported(register, row(CANARY, "", activities="keeping"), row("Beta AG", BETA))
    run = read(register, row(CANARY, ALPHA, activities=CANARY), row("Beta AG", BETA, activities=CANARY))
    assert {each.state for each in run.rows.all()} >= {"waiting"}
    cell = ImportCell.objects.filter(row__run=run, outcome="quarantined").first()
    sections = ["waiting", "quarantined", "set_aside", "added", "changed", "ended"]

    pages = [f"{page_of(run)}?section={name}" for name in sections]
    pages += [page_of(run.rows.first()), page_of(cell), page_of(RegisterEntry.objects.first()), page_of(run, "publish")]
    pages += [list_of(model) for model in MODELS]
    found = [text_of(admin_client.get(page)) for page in pages]

    assert any("&lt;script&gt;alert(&#x27;canary&#x27;)" in page for page in found)
    assert not any("<script>alert(" in page for page in found)


def test_nobody_is_led_to_another_site(register, admin_client):
    cell_page = page_of(
        ImportCell.objects.get(row__run=read(register, row(activities="kepeing")), outcome="quarantined")
    )

    said = {"value": "keeping", "reason": "A slip.", "next": "//evil.example/admin/"}
    assert admin_client.post(cell_page, said).headers["Location"].startswith("/admin/")


# Large files


def fill(register, count, on):
    make = [row(f"Firm {count}-{number}", "", "2025-01-01", "juggling") for number in range(count)]
    make += [row(f"Other {count}-{number}", "", "2025-01-01") for number in range(count)]
    for number in range(count):
        make_company(name=f"Other {count}-{number}")
    return read(register, *make, on=on)


@pytest.mark.parametrize("section", ["waiting", "quarantined", "set_aside", "added", "changed", "ended"])
def test_a_runs_page_needs_the_same_queries_for_two_rows_and_for_sixty(register, admin_client, section):
    few = queries_of(admin_client, f"{page_of(fill(register, 2, date(2026, 1, 1)))}?section={section}")
    many = queries_of(admin_client, f"{page_of(fill(register, 60, date(2026, 1, 2)))}?section={section}")

    assert len(many) == len(few), "\n".join(many)


@pytest.mark.parametrize("model", [ImportRun, ImportRow, ImportCell])
def test_queues_need_the_same_queries_for_two_rows_and_for_twenty(register, admin_client, model):
    fill(register, 2, date(2026, 1, 1))
    few = queries_of(admin_client, list_of(model))
    fill(register, 20, date(2026, 1, 2))

    many = queries_of(admin_client, list_of(model))

    assert len(many) == len(few), "\n".join(many)
    assert len(many) <= 4, "\n".join(many)


def test_a_page_that_is_not_there_shows_the_last(register, admin_client):
    run = fill(register, 60, date(2026, 1, 1))

    assert "Page 2 of 2" in text_of(admin_client.get(f"{page_of(run)}?section=waiting&page=99"))
    assert admin_client.get(f"{page_of(run)}?section=nothing&page=x").status_code == 200


@pytest.mark.parametrize("model", MODELS)
def test_lists_take_any_words(register, admin_client, model):
    for words in ["", "%", "a\\'b\"", "Ä" * 300]:
        assert admin_client.get(list_of(model), {"q": words}).status_code == 200
    assert admin_client.get(list_of(model), {"register": "xx-ledger"}).status_code == 200


def test_runs_are_found_by_state(register, admin_client):
    imported(register, row())
    held, ready = read(register), read(register, row(day="2025-01-03"), on=date(2026, 1, 2))

    assert page_of(ready) in text_of(admin_client.get(list_of(ImportRun), {"state": "ready"}))
    assert page_of(held) in text_of(admin_client.get(list_of(ImportRun), {"state": "nothing"}))
    assert page_of(held) not in text_of(admin_client.get(list_of(ImportRun), {"state": "published"}))
