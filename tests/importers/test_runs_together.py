"""Runs of one register wait for each other, and one that is killed leaves nothing but its log."""

from datetime import date
from threading import Thread

import psycopg
import pytest
from django.db import OperationalError, connection

from regulations.importers import runs
from regulations.importers.publishing import apply
from regulations.models import Authorisation, Change, Company, Extract, ImportRun, RegisterEntry
from tests.conftest import connected_to
from tests.importers.ledger import BETA, LEDGER, ground, imported, read, row


@pytest.fixture
def ledger(committed):
    ground()
    return committed


def within(name, act):
    """Start doing something in another thread, with a connection of its own."""

    def run():
        with connected_to(name):
            act()

    thread = Thread(target=run)
    thread.start()
    return thread


def test_two_runs_at_once_wait_for_each_other(ledger):
    def import_alpha():
        with runs.in_turn(LEDGER):
            imported(LEDGER, row("Alpha AG"))

    threads = [within(ledger, import_alpha) for _ in range(2)]
    for thread in threads:
        thread.join()

    assert Company.objects.count() == Authorisation.objects.count() == RegisterEntry.objects.count() == 1
    assert ImportRun.objects.filter(published_at__isnull=False).count() == 1


def test_a_run_that_is_killed_leaves_nothing_and_can_be_started_again(ledger, monkeypatch):
    run = read(LEDGER, row("Alpha AG"))
    changes = Change.objects.count()

    def killed(*arguments):
        apply(*arguments)
        with psycopg.connect(**_settings(), autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s)", [_backend()])
        connection.cursor().execute("SELECT 1")

    monkeypatch.setattr(runs, "apply", killed)
    with pytest.raises(OperationalError):
        runs.publish(LEDGER, run.pk, "a test")
    connection.close()

    assert not Company.objects.exists()
    assert (Change.objects.count(), RegisterEntry.objects.count()) == (changes, 0)
    monkeypatch.undo()
    assert runs.publish(LEDGER, run.pk, "a test").published_at


def test_a_preview_that_is_killed_leaves_no_run(ledger, monkeypatch):
    def killed(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(runs, "write_down", killed)
    with pytest.raises(KeyboardInterrupt):
        read(LEDGER, row("Alpha AG"), on=date(2026, 1, 1))

    assert not Extract.objects.exists()


def _settings():
    given = connection.settings_dict
    return {
        "host": given["HOST"],
        "user": given["USER"],
        "dbname": given["NAME"],
        "password": given["PASSWORD"] or None,
    }


def _backend():
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return cursor.fetchone()[0]


def test_the_feed_tells_what_each_extract_changed(ledger, client):
    imported(LEDGER, row("Alpha AG"), row("Beta AG", BETA))
    imported(LEDGER, row("Alpha AG", places="YY"), on=date(2026, 1, 8), release_reason="Beta has gone.")

    fed = client.get("/api/v1/changes/authorisations/?since=*&page_size=50").json()["results"]

    told = [(each["key"], each["event"]["code"], each["changes"][-1]["kind"]["code"]) for each in fed]
    assert sorted(told) == [("alpha-xx-fsa-licence", "created", "import"), ("beta-xx-fsa-licence", "created", "import")]
    assert all("extract of 2026-01-08" in each["changes"][-1]["reason"] for each in fed)
    beta = client.get("/api/v1/authorisations/beta-xx-fsa-licence/history/").json()["results"][0]
    after = {field["name"]: field["after"]["value"] for row in beta["rows"] for field in row["fields"]}
    assert (after["ended_on"], after["end_reason"]) == ("2026-01-08", "delisted")
