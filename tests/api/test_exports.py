"""Whole lists as the running server sends them: much of them, to slow readers, and to those who go away."""

import gzip
import http.client
import io
import json
import socket
import time
from contextlib import ExitStack, closing
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from tests.api.asking import ROOT
from tests.conftest import copy_database, database_url, drop_database
from tests.running import free_port, start_server

ROWS = 100_000
MEGABYTE = 1024 * 1024
WORDS = "SELECT string_agg(md5((number * 100 + part)::text), ' ') FROM generate_series(1, 30) AS part"
FILL = f"""
INSERT INTO regulations_topic (slug, name, kind, summary)
SELECT 'topic-' || number, 'Topic ' || number, 'theme', ({WORDS}) FROM generate_series(1, {ROWS}) AS number
"""


@pytest.fixture(scope="module")
def large_database(knowledge_template, worker_id):
    """A database with 100,000 topics of a kilobyte each besides the knowledge."""
    name = f"test_kbase_large_{worker_id}"
    copy_database(knowledge_template, name)
    with psycopg.connect(database_url(name)) as connection:
        # They need no history.
        connection.execute("SET session_replication_role = replica")
        connection.execute(FILL)
    yield name
    drop_database(name)


@pytest.fixture(scope="module")
def large_server(large_database, tmp_path_factory, furnish):
    """The production server with one worker on the large database."""
    home = tmp_path_factory.mktemp("large")
    furnish(home)
    running = start_server(home, free_port(), DATABASE_URL=database_url(large_database), KBASE_WORKERS="1")
    yield running
    running.process.terminate()
    running.process.wait()


def processes(pid):
    yield pid
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        yield from processes(int(child))


def peak_memory(server):
    """How many bytes of memory the server's processes have held at most."""
    found = 0
    for pid in processes(server.process.pid):
        [line] = [line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmHWM")]
        found += int(line.split()[1]) * 1024
    return found


def read(server, path, **headers):
    """How many lines and bytes an answer has; it is read in parts, as it comes."""
    with server.get(ROOT + path, **headers) as answer:
        counted = Counted(answer)
        file = (
            gzip.GzipFile(fileobj=counted)
            if answer.headers["Content-Encoding"] == "gzip"
            else io.BufferedReader(counted)
        )
        lines = sum(1 for _ in file)
        assert int(answer.headers["Content-Length"]) == counted.size
        return lines, counted.size


class Counted(io.RawIOBase):
    """A file that counts what is read of it."""

    def __init__(self, file):
        self.file, self.size = file, 0

    def readable(self):
        return True

    def readinto(self, buffer):
        part = self.file.read(len(buffer))
        buffer[: len(part)] = part
        self.size += len(part)
        return len(part)


def begin(server, path):
    """A connection on which a file begins to come, that nobody reads."""
    address = urlsplit(server.url)
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.settimeout(60)
    connection.connect(("127.0.0.1", address.port))
    connection.sendall(f"GET {ROOT}{path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    assert connection.recv(12) == b"HTTP/1.1 200"
    return connection


def status(server, path):
    with closing(http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=30)) as connection:
        connection.request("GET", ROOT + path)
        answer = connection.getresponse()
        answer.read()
        return answer.status


def open_transactions(database):
    """How many connections to the database are within a transaction."""
    with psycopg.connect(database_url(database)) as connection:
        query = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND state LIKE 'idle in transaction%%'"
        return connection.execute(query, [database]).fetchone()[0]


def comes_true(condition):
    """Whether it does, within ten seconds."""
    for _ in range(100):
        if condition():
            return True
        time.sleep(0.1)
    return False


@pytest.mark.parametrize(("form", "coding"), [("ndjson", "identity"), ("csv", "gzip")])
def test_a_hundred_thousand_rows_take_no_more_memory_than_a_few(large_server, form, coding):
    few, _ = read(large_server, f"topics/?format={form}&kind=activity", **{"Accept-Encoding": coding})
    with large_server.get(f"{ROOT}topics/?page_size=1") as answer:
        count = json.load(answer)["count"]
    before = peak_memory(large_server)

    lines, size = read(large_server, f"topics/?format={form}", **{"Accept-Encoding": coding})

    assert few < 100
    assert lines == count + (form == "csv") > ROWS
    assert size > (50 if coding == "gzip" else 100) * MEGABYTE
    assert peak_memory(large_server) - before < 24 * MEGABYTE


def test_slow_readers_of_files_keep_nobody_else_waiting(large_server, large_database):
    with ExitStack() as slow:
        for _ in range(2):
            slow.enter_context(closing(begin(large_server, "topics/?format=ndjson")))

        assert status(large_server, "topics/custody/") == 200
        assert status(large_server, "topics/?format=csv&kind=activity") == 503
        assert open_transactions(large_database) == 0


def test_reader_who_goes_away_leaves_nothing_behind(large_server, large_database):
    assert comes_true(lambda: status(large_server, "topics/?format=csv&kind=activity") == 200)
    for reader in [begin(large_server, "topics/?format=ndjson") for _ in range(2)]:
        reader.close()

    assert comes_true(lambda: status(large_server, "topics/?format=csv&kind=activity") == 200)
    assert open_transactions(large_database) == 0
