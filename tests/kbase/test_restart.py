"""Stopping and restarting under load."""

import threading
import time

import psycopg
import pytest

from tests.conftest import copy_database, database_url, drop_database
from tests.running import free_port, start_server

TOPIC = "/api/v1/topics/custody/"


@pytest.fixture(scope="module")
def database(knowledge_template, worker_id):
    name = f"test_kbase_restart_{worker_id}"
    copy_database(knowledge_template, name)
    yield database_url(name)
    drop_database(name)


def test_a_server_that_is_stopped_finishes_what_it_was_asked(server_home, database, furnish):
    furnish(server_home)
    running = start_server(server_home, free_port(), DATABASE_URL=database, KBASE_WORKERS="1")
    answers = []

    def ask():
        with running.get(TOPIC) as answer:
            answers.append((answer.status, len(answer.read())))

    with psycopg.connect(database) as blocker:
        blocker.execute("LOCK TABLE regulations_topic")
        reader = threading.Thread(target=ask)
        reader.start()
        wait_for_someone_waiting(database)
        running.process.terminate()
        time.sleep(1)
        assert running.process.poll() is None
        blocker.rollback()
    reader.join()

    assert answers[0][0] == 200
    assert running.process.wait() == 0


def wait_for_someone_waiting(database):
    with psycopg.connect(database, autocommit=True) as connection:
        while not connection.execute("SELECT count(*) FROM pg_locks WHERE NOT granted").fetchone()[0]:
            time.sleep(0.02)
