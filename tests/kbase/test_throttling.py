"""Who asks more often than the limit is put off, whichever process they ask."""

import json
import multiprocessing
import urllib.error

import pytest
from django.http import HttpResponse
from django.test import RequestFactory

from kbase import shared, throttling
from kbase.throttling import Counts, Throttle, client_of
from tests.kbase.test_shared import asked_again, redis  # noqa: F401 (fixtures)
from tests.running import free_port, start_server

NOON = 1_800_000_000


@pytest.fixture
def counts(tmp_path, monkeypatch):
    """Empty counts, at the beginning of a minute."""
    found = Counts(tmp_path / "requests")
    monkeypatch.setattr(throttling, "counts", lambda: found)
    monkeypatch.setattr(throttling.time, "time", lambda: NOON)
    return found


def ask(path="/api/v1/", address="192.0.2.1", **headers):
    throttle = Throttle(lambda request: HttpResponse("an answer"))
    return throttle(RequestFactory().get(path, REMOTE_ADDR=address, headers=headers))


def statuses(*addresses):
    return [ask(address=address).status_code for address in addresses]


def test_each_answer_tells_what_is_left(counts, settings, monkeypatch):
    settings.RATE_LIMIT = 3

    assert ask()["RateLimit"] == '"requests";r=2;t=60'
    monkeypatch.setattr(throttling.time, "time", lambda: NOON + 59.9)
    answer = ask()

    assert answer["RateLimit"] == '"requests";r=1;t=1'
    assert answer["RateLimit-Policy"] == '"requests";q=3;w=60'


def test_who_has_used_up_the_limit_is_refused_until_the_window_ends(counts, settings, monkeypatch):
    settings.RATE_LIMIT = 2

    assert statuses(*["192.0.2.1"] * 3) == [200, 200, 429]
    monkeypatch.setattr(throttling.time, "time", lambda: NOON + 59)
    refused = ask()
    monkeypatch.setattr(throttling.time, "time", lambda: NOON + 60)

    assert refused["Retry-After"] == "1"
    assert refused["RateLimit"] == '"requests";r=0;t=1'
    assert refused["Content-Type"] == "application/problem+json"
    assert json.loads(refused.content)["status"] == 429
    assert ask().status_code == 200


def test_each_client_has_a_limit_of_its_own(counts, settings):
    settings.RATE_LIMIT = 1

    assert statuses("192.0.2.1", "192.0.2.2", "192.0.2.1") == [200, 200, 429]


def test_only_the_api_is_limited(counts, settings):
    settings.RATE_LIMIT = 1

    answers = [ask(path) for path in ("/admin/", "/admin/", "/healthz", "/healthz")]

    assert [answer.status_code for answer in answers] == [200] * 4
    assert not any("RateLimit" in answer for answer in answers)


@pytest.mark.parametrize(
    ("one", "other", "are_one"),
    [
        ("192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("2001:db8:0:1::1", "2001:db8:0:1:ffff::2", True),
        ("2001:db8:0:1::1", "2001:db8:0:2::1", False),
    ],
)
def test_who_has_a_network_of_version_6_is_one_client(one, other, are_one):
    assert (throttling.numbered(one) == throttling.numbered(other)) is are_one


@pytest.mark.parametrize(
    ("proxies", "forwarded", "client"),
    [
        (0, "198.51.100.1", "192.0.2.9"),  # nobody of ours has written this
        (1, "198.51.100.1", "198.51.100.1"),
        (1, "203.0.113.5, 198.51.100.1", "198.51.100.1"),  # the first one is invented
        (2, "203.0.113.5, 198.51.100.1, 192.0.2.8", "198.51.100.1"),
        (2, "198.51.100.1", "192.0.2.9"),  # it came past the outer proxy
        (1, "", "192.0.2.9"),
    ],
)
def test_no_header_makes_a_client_another_one(settings, proxies, forwarded, client):
    settings.PROXIES = proxies
    request = RequestFactory().get("/api/", REMOTE_ADDR="192.0.2.9", headers={"X-Forwarded-For": forwarded})

    assert client_of(request) == throttling.numbered(client)


def test_many_clients_drive_out_the_old_and_the_quiet_first(counts, monkeypatch):
    monkeypatch.setattr(Counts, "slots", Counts.ways)
    busy, quiet, old = 1, 2, 3
    counts.add(old, 9)
    for _ in range(5):
        counts.add(busy, 10)
    for client in range(quiet, quiet + Counts.ways + 1):
        counts.add(client * 10, 10)

    assert counts.add(busy, 10) == 6
    assert counts.add(old, 9) == 1


def add_often(path, times):
    counts = Counts(path)
    for _ in range(times):
        counts.add(7, 1)


def test_processes_of_a_machine_count_together(tmp_path):
    path = tmp_path / "requests"
    context = multiprocessing.get_context("spawn")
    for _ in range(2):
        process = context.Process(target=add_often, args=(path, 1000))
        process.start()
        process.join()

    assert Counts(path).add(7, 1) == 2001


def test_machines_count_together_through_the_store_up_to_a_hundredth(tmp_path, redis, settings):  # noqa: F811
    settings.RATE_LIMIT = 1000
    machines = [Counts(tmp_path / name) for name in ("one", "other")]
    seen = []
    for _ in range(500):
        seen = [machine.add(7, 1) for machine in machines]

    assert min(seen) >= 1000 - 10
    assert machines[0].add(7, 2) == 1


def test_machines_count_alone_while_the_store_is_away(tmp_path, redis, settings):  # noqa: F811
    settings.RATE_LIMIT = 100
    counts = Counts(tmp_path / "one")
    counts.add(7, 1)
    redis.kill()
    redis.wait()

    assert [counts.add(7, 1) for _ in range(3)] == [2, 3, 4]
    assert shared.get("anything") is None


def test_workers_of_a_server_count_together(settled_home, django_db_setup):
    running = start_server(settled_home, free_port(), KBASE_RATE_LIMIT="5", KBASE_WORKERS="2")
    try:
        answers = [answer_of(running) for _ in range(8)]
    finally:
        running.process.terminate()
        running.process.wait()

    # A minute may begin among them.
    assert [429 in answers, 200 in answers] == [True, True]
    assert answers.count(200) in (5, 6, 7)


def answer_of(running):
    try:
        with running.get("/api/schema/") as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        with error:
            return error.code
