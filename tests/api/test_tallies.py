"""Counts that are kept: whatever is edited, they are those of the policies, on every day."""

from datetime import date
from random import Random

import pytest
from django.db import connection, transaction
from django.test import Client

from regulations.models import Milestone, Policy, PolicyTally, Topic
from regulations.models.policies import status_on
from regulations.models.policy_tallies import fill, tallies_on
from tests.api.asking import ROOT, ask
from tests.api.edits import Editor
from tests.api.test_covering import nodes_of, run_of
from tests.api.test_queries import statements
from tests.api.worlds import World
from tests.factories import make_jurisdiction, make_milestone, make_policy, make_topic
from tests.reading.test_kept import together

LIST = ROOT + "policies/"


def kept():
    """What the table says, but for what came and went."""
    rows = PolicyTally.objects.values_list("kind", "topic_id", "status", "jurisdiction_id", "month", "growth")
    return sorted(row for row in rows if any(row[-1]))


def made_anew():
    with connection.cursor() as cursor:
        cursor.execute(fill())
    return kept()


@pytest.mark.parametrize("seed", range(2))
def test_tallies_are_kept_whatever_is_edited_by_whatever_door(committed, seed):
    random = Random(seed)
    World(random, size=8).fill()
    editor = Editor(random)
    editor.models = [Policy, Milestone, Policy.topics.through, Topic]

    for _ in range(6):
        done = [editor.edit() for _ in range(5)]
        assert not PolicyTally.objects.exclude(change_id=0).exists()
        assert kept() == made_anew(), done
    assert len(kept()) > 50


def test_tallies_of_an_edit_that_is_taken_back_are_taken_back(committed):
    policy = make_policy(slug="mica")
    before = kept()

    with transaction.atomic():
        make_milestone(policy=policy, kind="in_force", date="2024-12-30")
        assert kept() != before
        transaction.set_rollback(True)

    assert kept() == before


def test_edit_is_counted_within_its_transaction(client, db):
    policy = make_policy(slug="mica")
    make_milestone(policy=policy, kind="in_force", date="2024-12-30")
    policy.topics.add(make_topic(slug="custody"))

    day_before = ask(client, "policies/", topic="custody", status="in_force", on="2024-12-29")
    first_day = ask(client, "policies/", topic="custody", status="in_force", on="2024-12-30")

    assert (day_before["count"], first_day["count"]) == (0, 1)


def test_edits_of_the_same_numbers_at_the_same_time_are_all_counted(committed):
    place = make_jurisdiction(code="HK")

    def publish(number):
        policy = make_policy(slug=f"law-{number}", jurisdiction=place)
        make_milestone(policy=policy, kind="published", date="2024-01-01")

    together(committed, *(lambda number=number: publish(number) for number in range(8)))

    assert ask(Client(), "policies/", jurisdiction="HK", status="published")["count"] == 8
    assert kept() == made_anew()


def test_writers_of_the_same_numbers_do_not_wait_for_each_other(committed):
    place, written = make_jurisdiction(code="HK"), []
    with transaction.atomic():
        make_policy(slug="first", jurisdiction=place)

        def write_another():
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '1s'")
            with transaction.atomic():
                written.append(make_policy(slug="second", jurisdiction=place))
                transaction.set_rollback(True)

        together(committed, write_another)

    assert written


def test_table_in_which_policies_are_looked_for_is_made_anew_with_its_tallies(committed):
    World(Random(1), size=20).fill()
    before = kept()

    with connection.cursor() as cursor:
        cursor.execute("SELECT regulations_rebuild_policy_facets()")

    assert kept() == before == made_anew()


def test_status_is_counted_as_it_is_on_every_day(committed):
    World(Random(2), size=20).fill()
    for day in [*Milestone.objects.order_by("date").values_list("date", flat=True).distinct()[::3]]:
        words = [*Policy.objects.values_list(status_on(day), flat=True)]
        facet = ask(Client(), "policies/", facets="status", on=str(day))["facets"]["status"]
        assert {row["value"]: row["count"] for row in facet} == {word: words.count(word) for word in words}, day


@pytest.mark.parametrize(
    "question",
    ["", "topic=custody", "jurisdiction=HK&kind=statute", "status__not=adopted", "kind=statute&status=in_force"],
)
def test_counting_reads_no_policies(client, db, question):
    make_topic(slug="custody")
    make_jurisdiction(code="HK")

    with statements() as run:
        client.get(f"{LIST}?{question}&facets=kind")

    counting = [sql for sql in run if "count(*)" in sql or "sum(n)" in sql]
    assert len(counting) == 2
    assert [sql for sql in counting if "regulations_policytally" not in sql] == []


@pytest.mark.parametrize("question", ["topic=custody,staking", "topic__not=custody", "introduced_on__gte=2020-01-01"])
def test_what_the_tallies_cannot_tell_is_counted(client, db, question):
    both = make_policy(slug="both")
    both.topics.add(make_topic(slug="custody"), make_topic(slug="staking"))
    make_milestone(policy=both, kind="published", date="2021-01-01")
    make_policy(slug="neither")

    assert ask(client, f"policies/?{question}")["count"] == 1


@pytest.mark.parametrize("question", ["", "topic=custody&status=in_force", "jurisdiction=HK"])
def test_an_index_finds_what_is_summed(client, db, question):
    make_topic(slug="custody")
    make_jurisdiction(code="HK")
    sql, params = run_of(f"{LIST}?{question}", "sum(n)")
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", params)
        [plan] = cursor.fetchone()[0]

    [found] = [node for node in nodes_of(plan["Plan"]) if "Index Cond" in node]
    for column in ("kind", "topic_id", "jurisdiction_id", "status", "month"):
        assert column in found["Index Cond"]


def test_number_grows_by_the_day(committed):
    make_milestone(policy=make_policy(slug="mica"), kind="published", date="2024-02-29")

    def published(day):
        return sum(row.grown for row in tallies_on(day).filter(kind="", topic_id=0, jurisdiction_id=0, status=7))

    days = ["2024-01-31", "2024-02-28", "2024-02-29", "2024-03-01"]

    assert [published(date.fromisoformat(day)) for day in days] == [0, 0, 1, 1]
