"""The rows that were: kept as rows beside the live ones, and read by the same indexes."""

import json
import random
from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction

from kbase.reading import answers, clock
from regulations.models import Change, Milestone, Policy, Revision, Topic, change
from regulations.models.changes import Position, page_after
from regulations.models.history import changes_of, revisions_of
from tests.api.asking import ask
from tests.api.edits import Editor, snapshot, watched_models
from tests.api.worlds import World
from tests.conftest import own_database
from tests.factories import make_jurisdiction, make_milestone, make_policy

EDITS = 150
POLICIES = 3000
CUSTODY = {"jurisdiction": "HK", "topic": "custody"}


def now():
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return cursor.fetchone()[0]


def rows_of(sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return sorted(text for (text,) in cursor.fetchall())


def kept():
    """All past rows, by their table."""
    tables = [model._meta.db_table for model in watched_models()]
    return {table: rows_of(f"SELECT to_jsonb(kept)::text FROM as_known.past_{table} AS kept") for table in tables}


@pytest.fixture(scope="module")
def edited(django_db_setup, django_db_blocker, worker_id):
    """Snapshots taken in the course of random edits, each with its moment."""
    chance = random.Random(22)
    with own_database(f"test_kbase_past_{worker_id}", django_db_setup, django_db_blocker):
        World(chance, size=5).fill()
        editor, snapshots = Editor(chance), []
        for number in range(EDITS):
            editor.edit()
            if number % 15 == 0:
                snapshots.append(snapshot())
        yield snapshots


def test_past_rows_kept_are_those_made_anew(edited):
    before = kept()

    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA as_known CASCADE")
        cursor.execute("SELECT regulations_make_as_known()")
        anew = kept()
        transaction.set_rollback(True)

    assert anew == before
    assert sum(map(len, before.values())) > EDITS / 3


@pytest.mark.parametrize("most", [0, clock.MOST_GATHERED], ids=["looked up by each statement", "gathered once"])
def test_each_table_as_known_is_what_it_was(edited, most, monkeypatch):
    monkeypatch.setattr(clock, "MOST_GATHERED", most)

    for rows, moment in edited:
        with clock.known_at(moment):
            for table, text in rows.items():
                told = [json.loads(row) for row in rows_of(f"SELECT to_jsonb(said)::text FROM {table} AS said")]
                assert sorted(told, key=by_id) == sorted(json.loads(text), key=by_id), table


def by_id(row):
    return row["id"]


def test_what_is_changed_while_one_looks_back_is_not_seen(committed):
    policy = make_policy(title="Old")
    moment = now()
    other = connection.copy()
    try:
        with clock.known_at(moment):
            with other.cursor() as cursor:
                cursor.execute("UPDATE regulations_policy SET title = 'New'")
            assert [each.title for each in Policy.objects.all()] == ["Old"]
    finally:
        other.close()
    policy.refresh_from_db()
    assert policy.title == "New"


def test_who_looks_back_cannot_write(committed):
    with pytest.raises(DatabaseError), clock.known_at(now()):
        Topic.objects.create(slug="late", name="Late", kind=Topic.Kind.THEME)


def test_a_table_that_a_migration_alters_is_changed_without_past_rows(db):
    policy = make_policy(title="Old")
    with connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA as_known CASCADE")
        Policy.objects.update(title="New")
        policy.delete()
        cursor.execute("SELECT regulations_make_as_known()")

        cursor.execute("SELECT title FROM as_known.past_regulations_policy ORDER BY revision_id")
        assert cursor.fetchall() == [("Old",), ("New",)]


# Plans


@pytest.fixture(scope="module")
def many(django_db_setup, django_db_blocker, worker_id):
    """A moment, before which thousands of policies were written down in one change, and after which some were altered."""
    with own_database(f"test_kbase_many_{worker_id}", django_db_setup, django_db_blocker):
        with change(actor="test", kind=Change.Kind.IMPORT):
            place, other = make_jurisdiction(code="HK"), make_jurisdiction(code="SG")
            topic = Topic.objects.create(slug="custody", name="Custody", kind=Topic.Kind.ACTIVITY)
            first = make_policy(slug="first", jurisdiction=place).introduced_on
            Policy.objects.bulk_create(
                Policy(
                    slug=f"law-{number}", title=f"Law {number}", kind="statute", jurisdiction=[place, other][number % 2]
                )
                for number in range(POLICIES)
            )
            laws = list(Policy.objects.order_by("pk"))
            Milestone.objects.bulk_create(
                Milestone(key=f"{law.slug}-in-force", policy=law, kind="in_force", date=first or "2020-01-01")
                for law in laws
            )
            Policy.topics.through.objects.bulk_create(
                Policy.topics.through(policy=law, topic=topic) for law in laws if law.pk % 4 == 0
            )
        moment = now()
        for law in laws[:20]:
            law.title += "!"
            law.save()
            make_milestone(policy=law, kind="amended", date="2026-01-01")
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        yield moment


def plans_of(run):
    """The plans of the statements that are run, as texts."""
    found = []
    raw = connection.connection
    raw.add_notice_handler(lambda notice: found.append(notice.message_primary))
    with connection.cursor() as cursor:
        cursor.execute("LOAD 'auto_explain'")
        cursor.execute("SET auto_explain.log_min_duration = 0")
        cursor.execute("SET auto_explain.log_analyze = on")
        cursor.execute("SET client_min_messages = log")
        try:
            run()
        finally:
            cursor.execute("SET auto_explain.log_min_duration = -1")
            cursor.execute("RESET client_min_messages")
    return found


@pytest.mark.parametrize("sent", [{}, {"jurisdiction": "HK"}], ids=["newest", "of a place"])
def test_a_page_as_known_walks_the_index_that_a_page_of_now_walks(many, client, monkeypatch, sent):
    # Too many are changed for their ids to be told.
    monkeypatch.setattr(answers, "MOST_CHANGED", 0)
    known = {"known_at": many.isoformat()}

    plans = plans_of(lambda: ask(client, "policies/", cursor="*", page_size=5, **sent, **known))

    [page] = [plan for plan in plans if "row_to_json" in plan]
    assert "Merge Append" in page
    assert "using policy_newest" in page
    assert "Seq Scan on regulations_policy " not in page
    assert "Seq Scan on regulations_milestone " not in page


@pytest.mark.parametrize("sent", [{}, {"jurisdiction": "HK"}], ids=["newest", "of a place"])
def test_a_page_as_known_of_few_changes_is_found_as_one_of_now(many, client, sent):
    plans = plans_of(lambda: ask(client, "policies/", cursor="*", page_size=5, known_at=many.isoformat(), **sent))

    [page] = [plan for plan in plans if "row_to_json" in plan]
    assert "using policyfacet_newest" in page
    # The changed ones are found by their ids.
    assert "using policy_newest" not in page
    assert "Seq Scan on regulations_policy " not in page
    assert "Seq Scan on regulations_milestone " not in page


def test_a_record_as_known_is_found_by_indexes(many, client):
    plans = plans_of(lambda: ask(client, "policies/law-7/", known_at=many.isoformat()))

    [record] = [plan for plan in plans if "row_to_json" in plan]
    for table in ("policy", "milestone", "policy_topics", "revision"):
        assert f"Seq Scan on regulations_{table} " not in record


def test_history_reads_the_revisions_of_its_rows_alone(many):
    law = Policy.objects.get(slug="law-7")
    revisions = revisions_of(Policy, law.pk, {"regulations_milestone": ["policy_id"]})

    assert "Seq Scan on regulations_revision" not in revisions.explain()
    # The law's making, its dates' by the milestone's, its title's; and that of the two milestones.
    assert revisions.count() == 5
    assert changes_of(revisions, None).count() == 3


def test_a_page_of_the_feed_reads_no_more_of_a_change_than_it_shows(many):
    whole = list(Revision.objects.filter(change__moment__isnull=False).order_by("change__moment", "pk"))
    position = Position(whole[0].change.moment, whole[4000].pk)

    plans = plans_of(lambda: page_after(position, None, None, 10))

    assert page_after(position, None, None, 10) == whole[4001:4011]
    assert page_after(None, None, None, 10) == whole[:10]
    assert page_after(position, many - timedelta(days=1), None, 10) == []
    [page] = [plan for plan in plans if "LATERAL" in plan]
    assert "Index Only Scan using revision_of_change" in page
    assert "Seq Scan on regulations_revision" not in page
