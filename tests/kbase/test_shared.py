"""What processes share, when the store is there, away, hanging, and back again."""

import os
import signal
import socket
import subprocess
import threading
import time

import pytest
from django.core.cache import caches
from django.test import override_settings

from kbase import settings as our_settings
from kbase import shared
from tests.programs import program, started
from tests.running import free_port


@pytest.fixture(autouse=True)
def asked_again():
    """No test leaves the store out because it failed in another."""
    shared._away_until = 0
    caches["shared"].clear()
    yield
    shared._away_until = 0


def stored_at(url):
    """Settings under which the shared cache is the Redis at this address."""
    return override_settings(
        CACHE_URL=url, CACHES={"default": our_settings.CACHES["default"], "shared": our_settings.redis_cache(url)}
    )


def redis_at(port, folder):
    def is_ready():
        with socket.socket() as trial:
            return trial.connect_ex(("127.0.0.1", port)) == 0

    options = ["--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", folder]
    return started(program("redis-server"), *options, until=is_ready, stdout=subprocess.DEVNULL)


@pytest.fixture
def redis(tmp_path):
    """A Redis, and settings by which it is the shared cache."""
    port = free_port()
    with redis_at(port, tmp_path) as process, stored_at(f"redis://127.0.0.1:{port}/0"):
        yield process


def test_without_a_store_each_process_keeps_its_own():
    shared.put("a", b"\x00\xff", 60)

    assert not shared.is_shared()
    assert shared.get("a") == b"\x00\xff"
    assert shared.get("b") is None
    assert [shared.increase("n", by, 60) for by in (1, 2)] == [1, 3]


def test_what_one_puts_in_another_finds(redis):
    shared.put("a", b"\x00\xff", 60)
    shared.put("number", b"7", 60)
    found = {}

    def ask_elsewhere():
        found.update(shared.get_many(["a", "number", "b"]))
        found["n"] = shared.increase("n", 2, 60)

    shared.increase("n", 1, 60)
    other = threading.Thread(target=ask_elsewhere)
    other.start()
    other.join()

    assert shared.is_shared()
    assert found == {"a": b"\x00\xff", "number": b"7", "n": 3}


def test_what_was_put_in_ends_with_its_time(redis):
    shared.put("a", b"1", 1)
    shared.increase("n", 1, 1)

    time.sleep(1.1)

    assert shared.get("a") is None
    assert shared.increase("n", 1, 1) == 1


def test_a_store_that_is_away_is_asked_once_and_then_left_out(caplog):
    with stored_at(f"redis://127.0.0.1:{free_port()}/0"):
        assert shared.get("a") is None
        shared.put("a", b"1", 60)
        assert shared.increase("n", 1, 60) is None
        assert shared.get_many(["a"]) == {}

    assert len(caplog.records) == 1
    assert "left out for 5 seconds" in caplog.text


def test_a_name_that_leads_nowhere_fails_nobody():
    with stored_at("redis://nowhere.invalid:6379/0"):
        assert shared.get("a") is None


def test_a_store_that_hangs_is_not_waited_for(redis):
    shared.put("a", b"1", 60)

    os.kill(redis.pid, signal.SIGSTOP)
    try:
        assert shared.get("a") is None
        assert shared._away_until > time.monotonic()
        shared._away_until = 0
        assert shared.increase("n", 1, 60) is None
    finally:
        os.kill(redis.pid, signal.SIGCONT)
    shared._away_until = 0

    assert shared.get("a") == b"1"


def test_a_store_that_comes_back_is_used_again(tmp_path):
    port = free_port()
    with stored_at(f"redis://127.0.0.1:{port}/0"):
        with redis_at(port, tmp_path):
            shared.put("a", b"1", 60)
        assert shared.get("a") is None
        with redis_at(port, tmp_path):
            assert shared.increase("n", 1, 60) is None
            shared._away_until = 0
            assert shared.increase("n", 1, 60) == 1
