"""nginx in front, with the configuration of `deploy/`: what it keeps, for how long, and who notices a restart."""

import gzip
import json
import subprocess
import tempfile
import threading
import time
import urllib.request
from collections import Counter
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

import psycopg
import pytest

from tests import homes
from tests.conftest import copy_database, database_url, drop_database
from tests.programs import program, started
from tests.running import PROJECT, answers, free_port, start_server

FRESH, STALE = 2, 3
TOPIC = "/api/v1/topics/custody/"

CONFIGURATION = """
daemon off;
worker_processes 1;
pid {folder}/pid;
error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{
    log_format kept '$request_uri $upstream_cache_status $upstream_status';
    access_log {folder}/access.log kept;
    # What is asked behind the reader's back, too.
    log_subrequest on;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {site}
}}
"""


class Front:
    """nginx at a port, two kbase behind it, and their database."""

    def __init__(self, folder, port, database, furnish):
        self.folder, self.database = folder, database
        for number in range(2):
            self.home(number).mkdir()
            furnish(self.home(number))
        self.url = f"http://localhost:{port}"
        self.ports = [free_port(), free_port()]
        self.servers = [self.start(number) for number in range(2)]
        site = (PROJECT / "deploy" / "nginx.conf").read_text()
        for said, ours in (
            ("listen 80", f"listen 127.0.0.1:{port}"),
            ("127.0.0.1:8000", f"127.0.0.1:{self.ports[0]}"),
            ("127.0.0.1:8001", f"127.0.0.1:{self.ports[1]}"),
            ("/var/cache/nginx/kbase", str(folder / "cache")),
        ):
            assert site.count(said) == 1
            site = site.replace(said, ours)
        (folder / "nginx.conf").write_text(CONFIGURATION.format(folder=folder, site=site))

    def home(self, number):
        return self.folder / f"kbase-{number}"

    def start(self, number):
        return start_server(
            self.home(number),
            self.ports[number],
            DATABASE_URL=self.database,
            KBASE_SECRET_KEY="k" * 64,
            KBASE_PROXIES="1",
            KBASE_WORKERS="1",
            KBASE_FRESH_SECONDS=str(FRESH),
            KBASE_STALE_SECONDS=str(STALE),
        )

    def stop(self, number):
        self.servers[number].process.terminate()
        assert self.servers[number].process.wait() == 0

    def ask(self, path=TOPIC, **headers):
        """The answer, how nginx came by it, and its headers."""
        request = urllib.request.Request(self.url + path, headers=headers)
        with urllib.request.urlopen(request) as answer:
            return answer.read(), answer.headers["X-Cache"], answer.headers

    def rename(self, name):
        with psycopg.connect(self.database, autocommit=True) as connection:
            connection.execute("UPDATE regulations_topic SET name = %s WHERE slug = 'custody'", [name])

    def log(self):
        """For each request, and each that nginx made of itself: the address, how it was answered, what kbase said."""
        return [line.split(" ") for line in (self.folder / "access.log").read_text().splitlines()]


@pytest.fixture(scope="module")
def front(knowledge_template, worker_id, furnish):
    nginx = program("nginx")
    name = f"test_kbase_front_{worker_id}"
    copy_database(knowledge_template, name)
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="kbase-", dir=homes.memory() or "/tmp") as made:
        folder = Path(made)
        # nginx's worker is another user, if root starts it.
        folder.chmod(0o755)
        front = Front(folder, port, database_url(name), furnish)
        command = [nginx, "-p", folder, "-e", folder / "error.log", "-c", folder / "nginx.conf"]
        with started(*command, until=lambda: answers(port), stderr=subprocess.DEVNULL):
            yield front
        for number in range(2):
            front.stop(number)
    drop_database(name)


def test_what_was_asked_once_is_answered_without_asking_again(front):
    paths = [f"/api/v1/policies/?page_size={size}" for size in range(1, 6)]

    told = Counter(front.ask(path)[1] for path in paths for _ in range(20))

    assert told["MISS"] == len(paths)
    # The slowest machine may find one of them aged.
    assert told["HIT"] >= 90


def test_each_reader_gets_the_coding_they_take_and_there_are_two_copies_at_most(front):
    path = "/api/v1/policies/?page_size=7"
    plain, _, _ = front.ask(path, **{"Accept-Encoding": "identity"})
    codings = ["gzip", "gzip, deflate, br", "br;q=1.0, gzip;q=0.8, *;q=0.1"]

    packed = [front.ask(path, **{"Accept-Encoding": coding}) for coding in codings]
    refused, how, headers = front.ask(path, **{"Accept-Encoding": "gzip;q=0, identity"})

    assert [how for _, how, _ in packed] == ["MISS", "HIT", "HIT"]
    assert {headers["Content-Encoding"] for *_, headers in packed} == {"gzip"}
    assert {gzip.decompress(body) for body, *_ in packed} == {plain} == {refused}
    assert (how, headers["Content-Encoding"]) == ("HIT", None)
    assert "RateLimit" not in headers


def test_an_answer_that_has_aged_is_asked_for_by_its_tag(front):
    path = "/api/v1/topics/staking/"
    first, _, _ = front.ask(path)
    time.sleep(FRESH + STALE + 2)

    again, how, _ = front.ask(path)

    assert (again, how) == (first, "REVALIDATED")
    assert [path, "REVALIDATED", "304"] in front.log()


def test_after_a_write_the_old_answer_ends_with_its_time(front):
    front.rename("Custody, before")
    time.sleep(FRESH + STALE + 2)
    front.ask()
    front.rename("Custody, after")
    time.sleep(FRESH + STALE + 2)

    body, how, _ = front.ask()

    assert (json.loads(body)["name"], how) == ("Custody, after", "EXPIRED")


def test_within_its_time_an_aged_answer_is_renewed_behind_the_readers_back(front):
    path = "/api/v1/topics/exchange/"
    front.ask(path)
    time.sleep(FRESH + 1.5)

    _, how, _ = front.ask(path)

    assert how == "STALE"
    while [path, "REVALIDATED", "304"] not in front.log():
        time.sleep(0.05)
    assert front.ask(path)[1] == "HIT"


def test_who_has_written_is_answered_past_the_cache(front):
    front.ask()
    front.rename("Custody, edited")

    body, how, _ = front.ask(Cookie="kbase_seen=anything")

    assert (json.loads(body)["name"], how) == ("Custody, edited", "BYPASS")
    assert json.loads(front.ask()[0])["name"] == "Custody, edited"


@contextmanager
def meanwhile(*tasks):
    """Do these again and again, each in a thread of its own, while inside; what they raise is raised in the end."""
    is_over, failed = threading.Event(), []

    def work(task):
        try:
            while not is_over.is_set():
                task()
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=[task]) for task in tasks]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        is_over.set()
        for thread in threads:
            thread.join()
    assert failed == []


def test_no_answer_is_older_than_its_headers_promise(front):
    """Names are written and read at the same time; each name that was read must have held within the promised time."""
    # For each name, when its writing began, and when it had ended.
    written = []
    seen = []

    def write():
        begin = time.monotonic()
        front.rename(f"Custody {len(written)}")
        written.append((begin, time.monotonic()))
        time.sleep(0.2)

    def read():
        asked_at = time.monotonic()
        body, how, _ = front.ask()
        name = json.loads(body)["name"]
        if name[-1].isdigit():
            seen.append((asked_at, time.monotonic(), int(name.split(" ")[1]), how))
        time.sleep(0.02)

    with meanwhile(write, read, read):
        time.sleep(5 * (FRESH + STALE))

    ages = []
    for asked_at, answered_at, number, _ in seen:
        assert written[number][0] <= answered_at, "nobody may see what is not written"
        if number + 1 < len(written):
            ages.append(asked_at - written[number + 1][1])
    # nginx counts whole seconds, from when it got an answer.
    assert max(ages) <= FRESH + STALE + 2
    # The cache was at work, and so were the writers.
    assert max(ages) > 0
    assert {how for *_, how in seen} >= {"HIT", "STALE"}
    assert len({number for _, _, number, _ in seen}) > 3


def test_restarting_one_server_after_the_other_loses_no_request(front):
    numbers = iter(range(10**6))
    answered = []

    def read():
        # A question that nobody has asked yet, so that nginx has to pass it on.
        size, days = divmod(next(numbers), 9000)
        path = f"/api/v1/policies/?page_size={size + 1}&on={date(2000, 1, 1) + timedelta(days=days)}"
        _, how, _ = front.ask(path)
        answered.append(how)

    with meanwhile(read, read, read):
        for number in range(2):
            front.stop(number)
            front.servers[number] = front.start(number)

    assert len(answered) > 20
    assert set(answered) == {"MISS"}
