"""What was the world on a day, and what did we say of it at a moment: two clocks that are never mixed."""

import json
import random
import threading
from collections import Counter
from datetime import UTC, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection, transaction
from django.test import Client

from regulations.api.urls import RESOURCES
from tests.api.asking import ask, get, refusal
from tests.api.edits import Editor, snapshot, write
from tests.api.worlds import FIRST_DAY, World
from tests.conftest import own_database
from tests.factories import make_milestone, make_policy, make_topic

SEOUL = ZoneInfo("Asia/Seoul")

EDITS = 400
SNAPSHOTS = 20
QUESTIONS = 4


def moment_text(moment):
    return moment.astimezone(UTC).isoformat()


def now():
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return cursor.fetchone()[0]


def asked_at(client, path, moment, **parameters):
    return ask(client, path, known_at=moment_text(moment), **parameters)


@pytest.fixture(scope="module")
def edited(django_db_setup, django_db_blocker, worker_id):
    """A world after hundreds of edits: snapshots of its rows taken on the way, and answers given on the way."""
    chance = random.Random(20261122)
    with own_database(f"test_kbase_edited_{worker_id}", django_db_setup, django_db_blocker):
        World(chance, size=5).fill()
        editor, done, snapshots, told = Editor(chance), Counter(), [], []
        for number in range(EDITS):
            done[editor.edit()] += 1
            if number % (EDITS // SNAPSHOTS) == 0:
                snapshots.append(snapshot())
                question = any_question(chance)
                told.append((question, snapshots[-1][1], answer_to(question, snapshots[-1][1])))
        assert len(done) == 10, done
        assert done[None] < EDITS / 2, done
        yield chance, snapshots, told


def any_question(chance):
    """A list or a detail with filters, facets, relations shown whole and a day, all at random."""
    resource = chance.choice(RESOURCES)
    parameters = {"on": (FIRST_DAY + timedelta(chance.randint(-5, 120))).isoformat(), "page_size": 200}
    if facets := list(resource.filterset_class.facets()):
        parameters["facets"] = chance.choice(facets)
    filters = resource.filterset_class.base_filters
    counts = [name for name in filters if name.endswith("__count__gte")]
    empties = [name for name in filters if name.endswith("__isnull")]
    if counts and chance.random() < 0.4:
        parameters[chance.choice(counts)] = chance.randint(0, 2)
    if empties and chance.random() < 0.4:
        parameters[chance.choice(empties)] = chance.choice(["true", "false"])
    if chance.random() < 0.3:
        parameters["q"] = chance.choice(["alpha", "zürich", "香港", "policy", "alhpa", "50"])
    if chance.random() < 0.3 and "source" in filters:
        # Of a key that there was or not; then the refusal is what we said.
        parameters["source"] = f"source-{chance.randint(1, 9)}"
    if resource.collection == "policies":
        parameters["status__not"] = chance.choice(["in_force", "repealed", "announced"])
    expandable = [name for name in ("jurisdiction", "regulators", "company", "policy", "topics", "activities") if
                  name in resource.serializer_class().fields]  # fmt: skip
    if expandable:
        parameters["expand"] = chance.choice(expandable)
    return resource, parameters


def answer_to(question, moment=None):
    """The list, and the details of its first records; of a moment, or of now."""
    resource, parameters = question
    clock = {"known_at": moment_text(moment)} if moment else {}
    client = Client()
    answer = get(client, f"{resource.collection}/", **parameters, **clock).json()
    if "errors" in answer:
        return json.dumps(answer)
    day = {"on": parameters["on"], **clock}
    details = [ask(client, f"{resource.collection}/{row[resource.key]}/", **day) for row in answer["results"][:5]]
    for said in [answer, *details]:
        del said["known_at"]
    return json.dumps([answer, details])


def test_what_we_said_at_a_moment_is_what_a_replayed_log_says(edited, django_db_setup, django_db_blocker, worker_id):
    chance, snapshots, _ = edited
    asked = [(rows, moment, [any_question(chance) for _ in range(QUESTIONS)]) for rows, moment in snapshots]
    recalled = [answer_to(question, moment) for _, moment, questions in asked for question in questions]

    with own_database(f"test_kbase_replayed_{worker_id}", django_db_setup, django_db_blocker):
        replayed = []
        for rows, _, questions in asked:
            with transaction.atomic():
                write(rows)
                replayed += [answer_to(question) for question in questions]
                transaction.set_rollback(True)

    assert recalled == replayed
    assert len({*recalled}) > len(recalled) / 2


def test_an_answer_at_a_moment_never_changes_later(edited):
    _, _, told = edited

    assert [answer_to(question, moment) for question, moment, _ in told] == [answer for *_, answer in told]


def test_the_moment_is_repeated_in_utc_and_kept_by_the_addresses_of_other_pages(committed, client):
    for slug in ("one", "two", "three"):
        make_policy(slug=slug)
    moment = now()

    page = asked_at(client, "policies/", moment, page_size=2)
    alone = asked_at(client, "policies/one/", moment)

    assert page["known_at"] == alone["known_at"] == moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
    make_policy(slug="four")
    assert [row["slug"] for row in client.get(page["next"]).json()["results"]] == ["two"]


def test_an_offset_is_another_way_to_write_the_same_moment(committed, client):
    make_policy(slug="one")

    said = ask(client, "policies/", known_at=now().astimezone(SEOUL).isoformat())

    assert (said["count"], said["known_at"][-1]) == (1, "Z")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("2026-01-01", "malformed"),
        ("2026-01-01T10:00:00", "malformed"),
        ("2026-01-01T10:00:00 02:00", "malformed"),
        ("2026-02-30T10:00:00Z", "malformed"),
        ("0001-01-01T00:00:00+14:00", "malformed"),
        ("yesterday", "malformed"),
        ("9999-12-31T23:59:59Z", "out_of_range"),
    ],
)
@pytest.mark.parametrize("path", ["policies/", "policies/one/"])
def test_a_moment_that_is_none_or_to_come_is_refused(db, client, path, text, code):
    [fault] = refusal(client, path, known_at=text)

    assert (fault["parameter"], fault["code"]) == ("known_at", code)


def test_a_moment_and_other_faults_are_told_at_once(db, client):
    found = refusal(client, "policies/", known_at="yesterday", knd="statute", page="x")

    assert {fault["parameter"] for fault in found} == {"known_at", "knd", "page"}


def test_keys_of_related_records_are_those_of_the_moment(committed, client):
    topic = make_topic(slug="staking-old")
    make_policy(slug="law").topics.add(topic)
    before = now()
    topic.slug = "staking-new"
    topic.save()

    assert asked_at(client, "policies/", before, topic="staking-old")["count"] == 1
    assert asked_at(client, "policies/", now(), topic="staking-new")["count"] == 1
    assert (
        refusal(client, "policies/", topic="staking-new", known_at=moment_text(before))[0]["nearest"] == "staking-old"
    )


def test_before_anything_was_written_down_there_is_nothing(committed, client):
    make_policy(slug="law")

    assert ask(client, "policies/", known_at="2020-01-01T00:00:00Z")["count"] == 0
    assert client.get("/api/v1/policies/law/?known_at=2020-01-01T00:00:00Z").status_code == 404


def test_to_look_back_leaves_nothing_of_it_behind(db, client):
    make_policy(slug="law")

    assert ask(client, "policies/", known_at="2020-01-01T00:00:00Z")["count"] == 0
    assert ask(client, "policies/")["count"] == 1


def test_a_day_in_the_world_and_a_moment_in_our_records_are_two_clocks(committed, client):
    policy = make_policy(slug="law")
    step = make_milestone(policy=policy, kind="applies", date="2024-06-01")
    thought = now()
    step.date = "2024-03-01"
    step.save()

    def status(on, moment):
        return asked_at(client, "policies/law/", moment, on=on)["status"]["code"]

    assert [status(on, thought) for on in ("2024-04-01", "2024-07-01")] == ["not_yet_announced", "in_force"]
    assert [status(on, now()) for on in ("2024-02-01", "2024-04-01")] == ["not_yet_announced", "in_force"]


def test_who_looks_back_waits_for_those_that_were_given_an_earlier_moment(committed, client):
    """A change with a moment, but still on its way to being seen, would else turn up later in what was said then."""
    other = connection.copy()
    try:
        other.set_autocommit(False)
        with other.cursor() as cursor:
            cursor.execute(
                "INSERT INTO regulations_topic (slug, name, kind, summary) VALUES ('late', 'Late', 'theme', '')"
            )
            # As at the commit, which is then held up.
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        moment = now()
        threading.Timer(0.3, other.connection.commit).start()

        said = asked_at(client, "topics/", moment)["count"]

        assert said == asked_at(client, "topics/", moment)["count"] == 1
    finally:
        other.close()
