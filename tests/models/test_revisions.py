"""The database writes down every change of every row."""

import pytest
from django.apps import apps
from django.db import connection

from regulations.models import Change, Policy, Revision, change
from tests.factories import make_policy, make_topic

# The record of changes itself, and what is derived from other tables.
DERIVED = (
    "revision",
    "change",
    "searchdocument",
    "searchword",
    "authorisationfacet",
    "policyfacet",
    "policytally",
    "recordevidence",
    "evidencetally",
)
# What an import read and would do: a log that is written once.
LOGGED = ("extract", "importrun", "importrow", "importrow_entries", "importcell", "importchange")
UNWATCHED = {"data_version", *(f"regulations_{name}" for name in DERIVED + LOGGED)}


def revisions_of(row):
    return Revision.objects.filter(table=row._meta.db_table, row_id=row.pk).order_by("pk")


def test_every_table_of_ours_is_watched(db):
    ours = {model._meta.db_table for model in apps.get_app_config("regulations").get_models(include_auto_created=True)}
    with connection.cursor() as cursor:
        cursor.execute("SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname LIKE 'revision\\_%'")
        watched = [table for (table,) in cursor.fetchall()]

    assert {table: watched.count(table) for table in ours} == {table: 0 if table in UNWATCHED else 4 for table in ours}


def test_a_new_a_changed_and_a_deleted_row_are_written_down(db):
    policy = make_policy(title="Old")
    policy.title = "New"
    policy.save()
    key = policy.pk
    policy.delete()

    found = Revision.objects.filter(table="regulations_policy", row_id=key).order_by("pk")

    assert [(row.before and row.before["title"], row.after and row.after["title"]) for row in found] == [
        (None, "Old"),
        ("Old", "New"),
        ("New", None),
    ]


def test_bulk_writes_and_raw_sql_are_written_down(db):
    policies = [make_policy(), make_policy()]

    Policy.objects.update(summary="Bulk")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE regulations_policy SET summary = 'Raw'")

    assert all([row.after["summary"] for row in revisions_of(policy)] == ["", "Bulk", "Raw"] for policy in policies)


def test_a_topic_given_to_a_policy_is_written_down(db):
    make_policy().topics.add(make_topic())

    assert Revision.objects.filter(table="regulations_policy_topics").count() == 1


def test_saving_without_a_change_writes_nothing_down(db):
    policy = make_policy()

    policy.save()

    assert revisions_of(policy).count() == 1


def test_a_change_says_who_made_it_of_what_kind_and_why(db):
    with change(actor="jane", kind=Change.Kind.CORRECTION, reason="The gazette says so"):
        policy = make_policy()
    other = make_policy()

    told, untold = revisions_of(policy).get().change, revisions_of(other).get().change

    assert (told.actor, told.kind, told.reason) == ("jane", "correction", "The gazette says so")
    assert (untold.actor, untold.kind) == ("", "unstated")


def test_changes_that_fail_together_leave_nothing_behind(db):
    @change(actor="jane", kind=Change.Kind.WORLD)
    def half_a_change():
        make_policy(slug="half")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        half_a_change()

    assert not Policy.objects.filter(slug="half").exists()
    assert not Change.objects.filter(actor="jane").exists()


NOTE_LOCK = """
CREATE TABLE noted (is_locked boolean);
CREATE FUNCTION note_lock() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO noted SELECT EXISTS (
        SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = 1802723445 AND pid = pg_backend_pid());
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER note_lock AFTER INSERT ON regulations_topic
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION note_lock()
"""


def test_others_wait_for_the_stamp_of_a_change_alone_not_for_its_checks(committed):
    with connection.cursor() as cursor:
        cursor.execute(NOTE_LOCK)
        with change(actor="test", kind=Change.Kind.WORLD):
            make_policy()
            # Its check is queued after the change was begun, and runs at the commit.
            make_topic()
            cursor.execute("SELECT count(*) FROM noted")
            assert cursor.fetchone() == (0,)
        cursor.execute("SELECT is_locked FROM noted")

        assert cursor.fetchall() == [(False,)]
    assert Change.objects.filter(moment__isnull=True).count() == 0
    assert Change.objects.filter(moment__isnull=False).count() == 1
