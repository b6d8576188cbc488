"""A primary and two streaming replicas, with kbase in front: who answers what, and what happens when one is lost."""

import json
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from contextlib import contextmanager
from http.cookiejar import CookieJar
from pathlib import Path

import lxml.html
import pytest

from kbase.embedded import binaries
from tests import homes
from tests.cluster import cluster
from tests.conftest import database_url
from tests.kbase.test_security import EDITOR, command
from tests.running import free_port, start_server

TOPIC = "/api/v1/topics/custody/"
TITLE = "UPDATE regulations_topic SET name = %s WHERE slug = 'custody'"
QUESTIONS = [
    f"/api/v1/{question}"
    for question in (
        "changes/?since=*",
        "check/?jurisdiction=HK&activity=exchange",
        "companies/?format=csv",
        "coverage/",
        "graph/jurisdictions/HK/",
        "jurisdictions/HK/profile/",
        "matrix/?jurisdiction=HK,SG",
        "policies/?facets=status,topic&cursor=*",
        "resolve/?q=SFC",
        "search/?q=custody",
        "suggest/?q=cus",
        "timeline/",
        "topics/custody/history/",
    )
]


@pytest.fixture(scope="module")
def site(knowledge_database, furnish):
    """The servers, with the whole knowledge, and kbase in front of them; each test leaves them running and level."""
    with tempfile.TemporaryDirectory(prefix="kbase-", dir=homes.memory() or "/tmp") as name:
        folder = Path(name)
        folder.chmod(0o711)
        furnish(folder)
        with cluster(folder) as (primary, replicas):
            fill(primary, knowledge_database, folder / "kbase.dump")
            variables = {"DATABASE_URL": primary.url, "KBASE_SECRET_KEY": "k" * 64}
            command("editor", KBASE_HOME=str(folder), **EDITOR, **variables)
            kbase = start_server(
                folder,
                free_port(),
                DATABASE_REPLICA_URLS=",".join(replica.url for replica in replicas),
                KBASE_REPLICA_LAG_SECONDS="4",
                KBASE_WORKERS="1",
                **variables,
            )
            try:
                yield Site(primary, replicas, kbase)
            finally:
                kbase.process.terminate()
                kbase.process.wait()


def fill(primary, database, file):
    """Give the primary a copy of a database of the tests' server."""
    with file.open("wb") as dump:
        subprocess.run([binaries() / "pg_dump", f"--dbname={database_url(database)}", "-Fc"], stdout=dump, check=True)
    subprocess.run([binaries() / "pg_restore", f"--dbname={primary.url}", "--no-owner", file], check=True)


class Site:
    def __init__(self, primary, replicas, kbase):
        self.primary, self.replicas, self.kbase = primary, replicas, kbase

    def ask(self, path=TOPIC):
        with self.kbase.get(path) as answer:
            text = answer.read()
        return json.loads(text) if answer.headers["Content-Type"].endswith("json") else text

    def asked(self, times=20):
        """How often each server is asked while the API is asked so often; the primary comes first."""
        servers = [self.primary, *self.replicas]
        before = [server.times_asked() for server in servers]
        for _ in range(times):
            self.ask()
        return [server.times_asked() - earlier for server, earlier in zip(servers, before, strict=True)]

    def health(self):
        try:
            return self.ask("/healthz")
        except urllib.error.HTTPError as error:
            with error:
                return json.load(error)

    def states(self):
        return [replica["state"] for replica in self.health()["replicas"].values()]

    def is_level(self):
        return self.health()["database"] == "ok" and self.states() == ["ok", "ok"]

    def rename(self, name):
        """Give a topic another name; returns it."""
        self.primary.ask(TITLE, name)
        return name


def until(condition):
    """Wait for what has to come by itself."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "it never comes"
        time.sleep(0.1)


@pytest.fixture(autouse=True)
def all_is_well(site):
    until(site.is_level)
    yield
    until(site.is_level)


@contextmanager
def paused(*replicas):
    """Let replicas receive what the primary writes, and not show it."""
    for replica in replicas:
        replica.ask("SELECT pg_wal_replay_pause()")
        until(lambda replica=replica: replica.ask("SELECT pg_get_wal_replay_pause_state()") == [("paused",)])
    try:
        yield
    finally:
        for replica in replicas:
            replica.ask("SELECT pg_wal_replay_resume()")


@contextmanager
def killed(*servers):
    """Let servers be dead while inside, and start them again."""
    for server in servers:
        server.kill()
    try:
        yield
    finally:
        for server in servers:
            server.start()


@contextmanager
def readers(site, paths=(TOPIC,)):
    """Ask all the while, from two threads, and fail if anything goes wrong."""
    wrong, answered, is_over = [], [], threading.Event()

    def read():
        while not is_over.is_set():
            for path in paths:
                try:
                    site.ask(path)
                    answered.append(path)
                except (OSError, ValueError) as error:
                    wrong.append((path, str(error)))
                time.sleep(0.01)

    threads = [threading.Thread(target=read) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        is_over.set()
        for thread in threads:
            thread.join()
    assert answered
    assert wrong == []


class Editor:
    """Somebody with a browser, logged in to the admin."""

    def __init__(self, site):
        self.site = site
        self.browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
        self.send("/admin/login/", username=EDITOR["EDITOR_NAME"], password=EDITOR["EDITOR_PASSWORD"])

    def open(self, path, data=None):
        request = urllib.request.Request(self.site.kbase.url + path, data, {"Referer": self.site.kbase.url + path})
        try:
            return self.browser.open(request)
        except urllib.error.HTTPError as error:
            return error

    def send(self, path, **fields):
        """Fill in the page's form as it stands, but for these fields, and send it."""
        with self.open(path) as page:
            form = max(lxml.html.parse(page).getroot().forms, key=lambda form: len(form.fields))
        form.fields.update(fields)
        sent = [pair for pair in form.form_values() if not pair[0].startswith("_")]
        return self.open(path, urllib.parse.urlencode(sent).encode())


def test_reads_are_spread_over_the_replicas(site):
    primary, *replicas = site.asked(20)

    assert primary == 0
    assert replicas == [10, 10]


def test_what_is_written_is_soon_shown_by_all(site):
    name = site.rename("Custody of keys")

    until(lambda: {site.ask()["name"] for _ in range(4)} == {name})


def test_a_replica_that_falls_behind_is_left_out_until_it_has_caught_up(site):
    slow = site.replicas[0]
    with paused(slow):
        name = site.rename("Custody, seen late")
        until(lambda: site.states() == ["lagging", "ok"])

        assert site.asked(10) == [0, 0, 10]
        assert site.ask()["name"] == name
    until(lambda: min(site.asked(4)[1:]) > 0)


def test_an_idle_primary_is_no_lag(site):
    time.sleep(6)

    assert site.states() == ["ok", "ok"]
    assert site.health()["replicas"]["replica_1"]["lag_seconds"] == 0


def test_without_any_fit_replica_the_primary_answers(site):
    with paused(*site.replicas):
        name = site.rename("Custody, from the primary")
        until(lambda: site.states() == ["lagging", "lagging"])

        assert site.asked(4) == [4, 0, 0]
        assert site.ask()["name"] == name


def test_a_replica_that_dies_fails_nobody_and_comes_back_by_itself(site):
    with readers(site):
        with killed(site.replicas[0]):
            until(lambda: site.states() == ["unavailable", "ok"])
        until(site.is_level)
    assert min(site.asked(10)[1:]) > 0


def test_when_all_replicas_die_the_primary_answers(site):
    with readers(site):
        with killed(*site.replicas):
            until(lambda: site.states() == ["unavailable", "unavailable"])
            assert site.asked(4)[0] >= 4
        until(site.is_level)


def test_without_the_primary_reads_go_on_and_writes_are_put_off(site):
    editor = Editor(site)
    collections = [path.removeprefix(site.kbase.url) for path in site.ask("/api/v1/").values()]
    with readers(site, [TOPIC, "/api/v1/policies/?q=custody&facets=status"]):
        with killed(site.primary):
            until(lambda: site.health()["database"] == "unavailable")
            for path in [*collections, *QUESTIONS]:
                site.ask(path)
            with editor.open("/admin/") as refused:
                status, headers, page = refused.status, refused.headers, refused.read().decode()
            with site.kbase.get("/healthz") as healthy:
                assert healthy.status == 200
        until(site.is_level)

    assert status == 503
    assert int(headers["Retry-After"]) > 0
    assert page == "The database is not available. Try again soon.\n"
    with editor.open("/admin/") as page:
        assert page.status == 200


def test_what_is_certain_only_with_the_primary_is_put_off_without_it(site):
    with killed(site.primary), pytest.raises(urllib.error.HTTPError) as refused:
        site.ask(f"{TOPIC}?known_at={now()}")

    with refused.value as answer:
        assert answer.status == 503
        assert answer.headers["Retry-After"]
        assert answer.headers["Content-Type"] == "application/problem+json"


def now():
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def test_who_has_written_reads_it_and_others_read_on_from_replicas(site):
    editor = Editor(site)
    before = site.ask()["name"]
    [[row]] = site.primary.ask("SELECT id FROM regulations_topic WHERE slug = 'custody'")
    with paused(*site.replicas):
        with editor.send(f"/admin/regulations/topic/{row}/change/", name="Custody, edited") as saved:
            assert saved.status == 200
        with editor.open(TOPIC) as answer:
            seen = json.load(answer)["name"]
        others = site.ask()["name"]

    assert seen == "Custody, edited"
    assert others == before


def test_who_has_written_reads_from_a_replica_once_it_has_that(site):
    editor = Editor(site)
    until(site.is_level)
    time.sleep(1.5)
    before = [replica.times_asked() for replica in site.replicas]

    for _ in range(4):
        editor.open(TOPIC).close()

    assert all(replica.times_asked() > earlier for replica, earlier in zip(site.replicas, before, strict=True))


def test_a_moment_is_answered_by_who_knows_all_changes_up_to_it(site):
    with paused(*site.replicas):
        name = site.rename("Custody, known in time")
        [[moment]] = site.primary.ask("SELECT max(moment) FROM regulations_change")
        asked = urllib.parse.urlencode({"known_at": moment.isoformat()})

        answers = [site.ask(f"{TOPIC}?{asked}")["name"] for _ in range(4)]

    assert answers == [name] * 4
    until(site.is_level)
    assert [site.ask(f"{TOPIC}?{asked}")["name"] for _ in range(4)] == [name] * 4


def test_a_past_moment_is_answered_by_replicas(site):
    moment = now()
    time.sleep(2.5)
    site.ask()
    before = site.primary.times_asked("kbase.known_at")

    for _ in range(4):
        site.ask(f"{TOPIC}?known_at={moment}")

    assert site.primary.times_asked("kbase.known_at") == before


def test_the_feed_of_changes_skips_nothing_whoever_answers(site):
    """It is followed across replicas that show now more, now less, while others write."""
    begin = now()
    time.sleep(1)
    written = [f"Custody, turn {turn}" for turn in range(30)]
    seen, is_over = [], threading.Event()

    def follow():
        url = f"/api/v1/changes/topics/?since={begin}"
        while not (is_over.is_set() and len(seen) >= len(written)):
            page = site.ask(url)
            seen.extend(change["moment"] for item in page["results"] for change in item["changes"])
            url = page["next"].removeprefix(site.kbase.url)

    follower = threading.Thread(target=follow)
    follower.start()
    for turn, name in enumerate(written):
        with paused(site.replicas[turn % 2]):
            site.rename(name)
    is_over.set()
    follower.join(60)

    moments = site.primary.ask("SELECT moment FROM regulations_change WHERE moment > %s ORDER BY moment", begin)
    assert len(seen) == len(moments) == len(written)
    assert seen == sorted(seen)
