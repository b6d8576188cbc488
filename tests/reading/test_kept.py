"""What is kept from one answer to the next is never wrong: not in a word, not for an instant."""

import json
import threading
from contextlib import contextmanager

import pytest
from django.db import connection, connections, transaction
from django.test import Client

from kbase import shared
from kbase.reading import kept
from kbase.reading.versions import VERSIONS
from regulations.models import DataVersion, Jurisdiction, Person, Policy, Topic
from tests.api.asking import ROOT
from tests.api.test_queries import statements
from tests.conftest import connected_to
from tests.factories import make_jurisdiction, make_policy, make_topic

LIST = ROOT + "policies/"
ADDRESSES = [
    LIST,
    f"{LIST}?topic=custody&facets=kind,jurisdiction",
    f"{LIST}?cursor=*",
    f"{LIST}mica/",
    f"{ROOT}topics/",
    f"{ROOT}jurisdictions/HK/profile/",
]


@pytest.fixture(autouse=True)
def memory(monkeypatch):
    """A memory as the server has it, empty at first; a function that empties it again."""

    def forget():
        monkeypatch.setattr(kept, "memory", kept.Memory(2**20))

    forget()
    return forget


@pytest.fixture
def world(committed):
    make_policy(slug="mica", jurisdiction=make_jurisdiction(code="HK")).topics.add(make_topic(slug="custody"))
    return committed


def asked(address):
    """The answer, and the statements that it cost."""
    with statements() as run:
        answer = Client().get(address)
    assert answer.status_code == 200, answer.content
    return answer, run


@pytest.mark.parametrize("address", ADDRESSES)
def test_answer_is_asked_once_and_given_again_as_it_was(world, address):
    first, run = asked(address)

    again, run_again = asked(address)

    assert len(run) > 1
    assert run_again == [VERSIONS]
    assert again.content == first.content
    # How much may still be asked for is said anew each time.
    assert {**again.headers, "RateLimit": ""} == {**first.headers, "RateLimit": ""}


@pytest.mark.parametrize("address", ADDRESSES)
def test_answer_is_asked_again_once_something_that_it_rests_on_has_changed(world, address):
    first, _ = asked(address)

    if address.endswith("topics/"):
        Topic.objects.update(name="Safekeeping")
    else:
        Policy.objects.update(title="Another title")
        Jurisdiction.objects.update(name="Another name")
    again, _ = asked(address)

    assert again.content != first.content
    assert again["ETag"] != first["ETag"]


def test_answer_is_kept_while_something_else_changes(world):
    first, _ = asked(LIST)
    person, _ = asked(f"{ROOT}people/")

    Person.objects.create(slug="somebody", name="Somebody")

    again, run = asked(LIST)
    assert (again.content, again["ETag"], run) == (first.content, first["ETag"], [VERSIONS])
    assert asked(f"{ROOT}people/")[0].json()["count"] == person.json()["count"] + 1


def test_what_is_taken_back_changes_no_version(world):
    before = dict(DataVersion.objects.values_list("table", "moment"))

    with transaction.atomic():
        Policy.objects.update(title="Nobody sees it")
        transaction.set_rollback(True)

    assert dict(DataVersion.objects.values_list("table", "moment")) == before


def test_changes_made_together_give_their_tables_one_version(world):
    before = dict(DataVersion.objects.values_list("table", "moment"))

    with transaction.atomic():
        Policy.objects.update(title="Another title")
        Jurisdiction.objects.update(name="Another name")

    after = dict(DataVersion.objects.values_list("table", "moment"))

    changed = {table for table, moment in after.items() if moment != before[table]}
    assert changed == {"regulations_policy", "regulations_jurisdiction"}
    assert len({after[table] for table in changed}) == 1


def test_count_is_kept_for_all_pages_of_a_list(world):
    asked(f"{LIST}?page_size=1")

    _, run = asked(f"{LIST}?page_size=1&fields=slug")

    assert [sql for sql in run if "count(*)" in sql or "sum(n)" in sql] == []
    assert len(run) == 2


def test_facets_are_kept_whatever_else_is_shown(world):
    asked(f"{LIST}?facets=kind&page_size=1")

    answer, run = asked(f"{LIST}?facets=kind&fields=slug")

    assert len(run) == 3
    assert answer.json()["facets"]["kind"][0]["count"] == 1


def test_count_and_page_are_of_one_state_though_something_changes_in_between(world):
    """The statement that counts is followed by a commit; the answer is asked again."""
    place = Jurisdiction.objects.get()

    def make_another():
        together(world, lambda: make_policy(slug="late", jurisdiction=place))

    with once_after("sum(n)", make_another):
        answer, _ = asked(LIST)

    found = answer.json()
    assert found["count"] == len(found["results"]) == 2
    assert asked(LIST)[0].content == answer.content


def test_kept_count_is_not_told_beside_a_page_that_saw_a_later_change(world):
    """The versions are followed by a commit, and the page knows it."""
    place = Jurisdiction.objects.get()
    asked(f"{LIST}?page_size=1")

    def make_another():
        together(world, lambda: make_policy(slug="late", jurisdiction=place))

    with once_after(VERSIONS, make_another):
        answer, _ = asked(f"{LIST}?fields=slug")

    found = answer.json()
    assert found["count"] == len(found["results"]) == 2


@contextmanager
def once_after(words, act):
    """Do something once, after a statement with these words."""
    done = []

    def run(execute, sql, params, many, context):
        result = execute(sql, params, many, context)
        if words in sql and not done:
            done.append(True)
            act()
        return result

    with connection.execute_wrapper(run):
        yield


def together(database, *acts):
    """Do these at the same time, each in a thread with a connection of its own."""

    def within(act):
        with connected_to(database):
            act()
        connections.close_all()

    threads = [threading.Thread(target=within, args=[act]) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_readers_beside_a_writer_never_see_what_is_old_or_torn(world):
    """Each answer has all that was committed before it was asked for, and count, page and facets agree."""
    committed_titles = [0]
    stop = threading.Event()
    faults, answers = [], []
    Policy.objects.update(title="0")
    place = Jurisdiction.objects.get()

    def write():
        for number in range(1, 60):
            if number % 3 == 0:
                make_policy(slug=f"p-{number}", title="new", jurisdiction=place)
            Policy.objects.filter(slug="mica").update(title=str(number))
            committed_titles.append(number)
        stop.set()

    def read():
        while not stop.is_set():
            least = committed_titles[-1]
            found = Client().get(f"{LIST}?facets=jurisdiction&page_size=200").json()
            title = next(int(row["title"]) for row in found["results"] if row["slug"] == "mica")
            counts = {found["count"], len(found["results"]), found["facets"]["jurisdiction"][0]["count"]}
            answers.append(title)
            if title < least or len(counts) > 1:
                faults.append((least, title, counts))

    together(world, write, read, read)

    assert faults == []
    assert len(set(answers)) > 3


def test_past_is_kept_whatever_changes(world):
    moment = DataVersion.objects.get(table="regulations_policy").moment.isoformat().replace("+00:00", "Z")
    address = f"{LIST}?known_at={moment}"
    first, run = asked(address)
    Policy.objects.update(title="Another title")

    again, run_again = asked(address)

    assert again.content == first.content
    assert (len(run) > 0, run_again) == (True, [])


def test_answer_is_found_in_the_memory_that_processes_share(world, monkeypatch, memory):
    monkeypatch.setattr(shared, "is_shared", lambda: True)
    first, _ = asked(LIST)

    memory()
    again, run = asked(LIST)

    assert (again.content, run) == (first.content, [VERSIONS])


def test_refusals_are_not_kept(world):
    for _ in range(2):
        with statements() as run:
            assert Client().get(f"{LIST}?topic=nope").status_code == 400
        assert len(run) > 1


def test_memory_forgets_first_what_was_not_asked_for_the_longest():
    memory = kept.Memory(16 * 1000)
    for name in "abcdefghijklmnopq":
        memory.keep(name, b"x" * 690)
        memory.get("a")

    assert memory.get("a") == memory.get("q") == b"x" * 690
    assert memory.get("b") is None


def test_memory_has_no_room_for_what_would_drive_all_others_out():
    memory = kept.Memory(16 * 1000)
    memory.keep("large", b"x" * 1001)
    nothing = kept.Memory(0)
    nothing.keep("any", b"")

    assert memory.get("large") is None
    assert nothing.get("any") is None


def test_answers_are_json_that_is_read_as_before(world):
    first, _ = asked(LIST)
    again, _ = asked(LIST)

    assert json.loads(again.content) == json.loads(first.content)
    assert again["Content-Type"] == "application/json"


def test_connection_that_was_cut_is_made_anew(world):
    """PostgreSQL was restarted between two requests: no test before each of them, and yet no error."""
    asked(LIST)
    [backend] = [connection.connection.info.backend_pid]
    together(world, lambda: end_backend(backend))
    # As the server does at the beginning of each request, but not the client of tests.
    connection.close_if_unusable_or_obsolete()

    _, run = asked(LIST)

    assert run == [VERSIONS] * 2
    assert connection.connection.info.backend_pid != backend


def end_backend(pid):
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
