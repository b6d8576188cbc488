"""The feed of changes: whoever follows it has, in the end, what we have."""

import random
import threading
import time

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from regulations.api.urls import RESOURCES
from regulations.models import Change, Policy, Topic, change
from tests.api.asking import ask, refusal, walk
from tests.api.edits import Editor
from tests.api.test_past_keys import make
from tests.api.worlds import World
from tests.conftest import connected_to
from tests.factories import make_citation, make_jurisdiction, make_milestone, make_policy, make_source, make_topic

ON = "2024-02-01"


class Copy:
    """A copy of the collections that follows the feed, and knows nothing else."""

    def __init__(self, client, path="changes/", **parameters):
        self.client, self.records = client, {}
        self.following = f"/api/v1/{path}?since=*&on={ON}&" + "&".join(f"{k}={v}" for k, v in parameters.items())

    def follow(self):
        """Read on until nothing more has happened; give back how many items there were."""
        count, has_more = 0, True
        while has_more:
            answer = self.client.get(self.following.rstrip("&"))
            assert answer.status_code == 200, answer.content[:500]
            page = answer.json()
            self.apply(page["results"])
            count += len(page["results"])
            self.following, has_more = page["next"], page["has_more"]
        return count

    def apply(self, items):
        for item in items:
            for key in [item["key"], *item["previous_keys"]]:
                self.records.pop((item["collection"], key), None)
        for item in items:
            if item["record"]:
                self.records[item["collection"], item["key"]] = item["record"]


def export(client, **filters):
    """All records of all collections, or those of policies that meet the filters."""
    resources = [each for each in RESOURCES if not filters or each.collection == "policies"]
    # Of what holds over spans, a list with a day shows only what holds then.
    return {
        (resource.collection, record[resource.key]): record
        for resource in resources
        for page in walk(
            client,
            f"{resource.collection}/",
            cursor="*",
            page_size=200,
            **filters,
            **({} if resource.holding_on else {"on": ON}),
        )
        for record in page["results"]
    }


def feed(client, since="*", path="changes/", **parameters):
    return ask(client, path, since=since, **parameters)


def test_a_copy_that_follows_the_feed_equals_the_export(committed, client):
    chance = random.Random(7)
    World(chance, size=4).fill()
    copy, filtered = Copy(client, page_size=60), Copy(client, "changes/policies/", page_size=25, kind__not="bill")
    assert copy.follow() > 100

    editor = Editor(chance)
    for number in range(200):
        editor.edit()
        if number % 20 == 0:
            copy.follow()
        if number % 50 == 0:
            filtered.follow()
    copy.follow()
    filtered.follow()

    assert copy.records == export(client)
    assert filtered.records == export(client, kind__not="bill")
    assert copy.follow() == filtered.follow() == 0


def test_a_copy_misses_nothing_while_others_write(committed, client):
    World(random.Random(1), size=3).fill()
    copy = Copy(client, page_size=20)
    writers = [threading.Thread(target=write, args=(committed, seed)) for seed in (1, 2, 3)]
    for writer in writers:
        writer.start()
    reads = 0
    while any(writer.is_alive() for writer in writers):
        reads += copy.follow()
    for writer in writers:
        writer.join()

    copy.follow()

    assert reads
    assert copy.records == export(client)


def write(database, seed):
    """Edit for a while, by a connection of one's own."""
    with connected_to(database):
        editor = Editor(random.Random(seed))
        for _ in range(60):
            editor.edit()


def test_a_change_that_is_committed_late_is_not_skipped(committed, client):
    late = connection.copy()
    late.set_autocommit(False)
    try:
        with late.cursor() as cursor:
            cursor.execute(
                "INSERT INTO regulations_topic (slug, name, kind, summary) VALUES ('early', 'Early', 'theme', '')"
            )
            make_topic(slug="later")
            first = feed(client)
            assert [item["key"] for item in first["results"]] == ["later"]
        late.commit()
    finally:
        late.close()

    second = client.get(first["next"]).json()

    assert [item["key"] for item in second["results"]] == ["early"]
    assert [item["key"] for item in feed(client)["results"]] == ["later", "early"]


def test_moments_are_given_in_the_order_of_commits(committed, client):
    threads = [threading.Thread(target=add_topics, args=(committed, number)) for number in range(4)]
    for thread in threads:
        thread.start()
    seen = []
    while any(thread.is_alive() for thread in threads):
        seen.append(list(Change.objects.order_by("moment").values_list("pk", flat=True)))
        time.sleep(0.001)
    for thread in threads:
        thread.join()

    final = list(Change.objects.order_by("moment").values_list("pk", flat=True))

    assert len(final) == 100
    # Whatever was seen at any time was the beginning of what there is in the end.
    assert all(final[: len(each)] == each for each in seen)
    assert len({len(each) for each in seen}) > 3


def add_topics(database, number):
    with connected_to(database):
        for each in range(25):
            make_topic(slug=f"topic-{number}-{each}")


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource.collection)
def test_a_record_is_made_changed_and_deleted_in_the_feed(committed, client, resource):
    row = make(resource.queryset.model)
    key = getattr(row, resource.key)
    made = feed(client, collection=resource.collection)
    row.delete()
    deleted = client.get(made["next"]).json()

    mine = [item for item in made["results"] if item["key"] == key]
    assert [(item["event"]["code"], item["record"][resource.key]) for item in mine] == [("created", key)]
    [tombstone] = deleted["results"]
    assert (tombstone["key"], tombstone["event"]["code"], tombstone["record"]) == (key, "deleted", None)


def test_an_item_says_when_of_what_kind_and_why(committed, client):
    start = feed(client)
    with change(actor="jane", kind=Change.Kind.WORLD, reason="The act was passed"):
        make_topic(slug="staking")

    [item] = client.get(start["next"]).json()["results"]

    [told] = item["changes"]
    assert (told["kind"]["code"], told["reason"], told["rows"]) == ("world", "The act was passed", ["topic"])
    assert "jane" not in str(item)


def test_to_save_without_a_change_is_no_event(committed, client):
    policy = make_policy()
    start = feed(client)

    policy.save()
    Policy.objects.update(title=policy.title)

    end = client.get(start["next"]).json()
    assert (end["results"], end["has_more"]) == ([], False)


def test_a_new_key_takes_out_the_old_one(committed, client):
    topic = make_topic(slug="one")
    start = feed(client)
    for slug in ("two", "three"):
        topic.slug = slug
        topic.save()

    [item] = client.get(start["next"]).json()["results"]

    assert (item["key"], item["previous_keys"], item["record"]["slug"]) == ("three", ["one", "two"], "three")


def test_what_a_record_shows_of_others_is_a_change_of_it(committed, client):
    place = make_jurisdiction(code="HK", name="Hong Kong")
    policy = make_policy(slug="law", jurisdiction=place)
    start = feed(client)

    def touched():
        nonlocal start
        start = client.get(start["next"]).json()
        return {(item["collection"], item["key"]): item["record"] for item in start["results"]}

    make_milestone(policy=policy, key="law-applies", kind="applies", date="2024-01-01")
    assert touched()["policies", "law"]["status"]["code"] == "in_force"
    place.name = "Hong Kong SAR"
    place.save()
    assert touched()["policies", "law"]["jurisdiction"]["name"] == "Hong Kong SAR"
    policy.topics.add(make_topic(slug="custody"))
    assert touched()["policies", "law"]["topics"][0]["slug"] == "custody"
    citation = make_citation(policy=policy, source=make_source(slug="gazette"))
    assert ("policies", "law") in touched()
    citation.delete()
    assert ("policies", "law") in touched()


def test_a_record_that_no_longer_meets_the_filters_is_taken_out(committed, client):
    policy = make_policy(slug="law", kind="statute")
    start = feed(client, path="changes/policies/", kind="statute")
    assert [item["event"]["code"] for item in start["results"]] == ["created"]
    policy.kind = "bill"
    policy.save()

    [item] = client.get(start["next"]).json()["results"]

    assert (item["key"], item["event"]["code"], item["record"]) == ("law", "left", None)


def test_only_changes_of_some_kinds_are_asked_for(committed, client):
    with change(actor="", kind=Change.Kind.EDITORIAL):
        make_topic(slug="one")
    with change(actor="", kind=Change.Kind.IMPORT):
        make_topic(slug="two")

    assert [item["key"] for item in feed(client, change_kind="import")["results"]] == ["two"]


def test_the_feed_begins_at_a_moment(committed, client):
    make_topic(slug="one")
    moment = feed(client)["results"][0]["changes"][0]["moment"]
    make_topic(slug="two")

    assert [item["key"] for item in feed(client, since=moment)["results"]] == ["two"]


def test_the_feed_at_a_moment_ends_there(committed, client):
    topic = make_topic(slug="one", name="Old")
    moment = feed(client)["results"][0]["changes"][0]["moment"]
    topic.name = "New"
    topic.save()

    [item] = feed(client, known_at=moment)["results"]

    assert (item["record"]["name"], len(item["changes"])) == ("Old", 1)


@pytest.mark.parametrize(
    ("parameters", "parameter", "code"),
    [
        ({}, "since", "empty"),
        ({"since": "nonsense"}, "since", "malformed"),
        ({"since": "2024-01-01T00:00:00"}, "since", "malformed"),
        ({"since": "*", "collection": "polices"}, "collection", "unknown"),
        ({"since": "*", "jurisdiction": "HK"}, "jurisdiction", "unknown"),
        ({"since": "*", "page_size": 1001}, "page_size", "out_of_range"),
        ({"since": "*", "change_kind": "worlds"}, "change_kind", "unknown"),
    ],
)
def test_a_question_that_could_be_misread_is_refused(db, client, parameters, parameter, code):
    [fault] = refusal(client, "changes/", **parameters)

    assert (fault["parameter"], fault["code"]) == (parameter, code)


def test_a_place_in_one_feed_is_none_in_another(committed, client):
    since = feed(client)["next"].partition("since=")[2]

    for path, parameters in (("changes/", "&collection=topics"), ("changes/topics/", "")):
        answer = client.get(f"/api/v1/{path}?since={since}{parameters}")
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "contradictory")


def test_a_page_takes_as_many_queries_however_many_changes_it_has(committed, client):
    counts = []
    for size in (1, 30):
        for _ in range(size):
            make_policy().topics.add(make_topic())
        with CaptureQueriesContext(connection) as queries:
            feed(client, page_size=1000)
        counts.append(len(queries))

    assert counts[0] == counts[1], counts


def test_pages_follow_one_another_within_one_change(committed, client):
    with change(actor="", kind=Change.Kind.IMPORT):
        Topic.objects.bulk_create(Topic(slug=f"topic-{number}", name="Topic", kind="theme") for number in range(25))
    copy = Copy(client, page_size=10)

    assert copy.follow() == 25
    assert copy.records == export(client)


def test_the_feed_answers_each_reader_alike(committed):
    make_topic()

    assert feed(Client())["results"] == feed(Client())["results"]


def test_a_key_that_was_given_up_before_the_record_went_is_taken_out(committed, client):
    """The reader knows the first key; when it reads of the second one, the record is gone already, or there again."""
    topics = [make_topic(slug="one"), make_topic(slug="first")]
    copy = Copy(client, page_size=1)
    copy.follow()
    for topic, slug in zip(topics, ("two", "second"), strict=True):
        topic.slug = slug
        topic.save()
        topic_id = topic.pk
        topic.delete()
    Topic.objects.create(pk=topic_id, slug="third", name="Third", kind="theme")

    copy.follow()

    assert copy.records == export(client)
    assert [key for _, key in copy.records] == ["third"]
