"""The database under the tests, the knowledge in it, and a running server.

The tests have a PostgreSQL of their own: the embedded one in a temporary folder, or the server of DATABASE_URL.
With pytest-xdist the first process starts it, and each worker has its own databases on it.
"""

import fcntl
import json
import os
import shutil
import tempfile
from collections import Counter
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from random import Random
from urllib.parse import quote

import psycopg
import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connections, transaction
from django.test.client import ClientHandler
from django.test.utils import setup_databases, teardown_databases
from drf_spectacular.generators import SchemaGenerator
from hypothesis import settings as hypothesis_settings
from jsonschema import Draft202012Validator, FormatChecker
from playwright.sync_api import sync_playwright
from psycopg import sql

from kbase import embedded
from kbase.reading import kept
from tests import described, homes
from tests.api.worlds import World
from tests.running import free_port, start_server

HOME_VARIABLE = "TESTS_HOME"
# Databases to copy; nobody connects to them once they are made.
EMPTY, KNOWLEDGE = TEMPLATES = "test_kbase_migrated", "test_kbase_knowledge"

# A slow machine is no mistake in the code.
hypothesis_settings.register_profile("kbase", deadline=None)
hypothesis_settings.load_profile("kbase")


def pytest_configure(config):
    if not is_worker(config):
        os.environ[HOME_VARIABLE] = tempfile.mkdtemp(prefix="kbase-tests-", dir=homes.memory())
        # PostgreSQL, which refuses to run as root, has to get through.
        tests_home().chmod(0o711)
        config.option.basetemp = config.option.basetemp or tests_home() / "tmp"
    if "DATABASE_URL" not in os.environ:
        use_own_server()
    # The tests ask from one address, and more in a minute than a reader would.
    settings.RATE_LIMIT = 10**9
    # A password that is slow to try is slow to set, for each editor anew; servers in processes of their own do as always.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.KBASE_HOME = tests_home()
    # Playwright keeps an event loop in the thread of the tests, and nothing in that loop speaks to the database.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "on"
    # What a test writes and takes back is never committed, and so has no version; test_caching keeps what it commits.
    kept.memory = kept.Memory(0)
    # A fresh clone has collected no static files, of which whitenoise would warn.
    settings.STATIC_ROOT = tests_home() / "static"
    settings.STATIC_ROOT.mkdir(exist_ok=True)
    # Pages name their static files by hash only once those are collected.
    settings.STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}


def use_own_server():
    server = embedded.server_in(tests_home() / "postgres")
    server.durable = False
    server.hold()
    settings.DATABASES["default"]["HOST"] = str(server.socket_folder)
    settings.DATABASES["default"]["OPTIONS"]["data_folder"] = str(server.folder)


def pytest_unconfigure(config):
    if not is_worker(config):
        with suppress(psycopg.OperationalError):
            for template in TEMPLATES:
                drop_database(template)
    connections.close_all()
    if "DATABASE_URL" not in os.environ:
        embedded.server_in(tests_home() / "postgres").release()
    if not is_worker(config):
        shutil.rmtree(tests_home(), ignore_errors=True)


def pytest_terminal_summary(terminalreporter):
    """Print the score of the contract: how many wrong questions were asked, and how many of them were answered."""
    score = Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            score.update(dict(getattr(report, "user_properties", ())) if getattr(report, "when", "") == "call" else {})
    if score["mutations"]:
        terminalreporter.line(f"Wrong questions: {score['mutations']} asked, {score['accepted']} accepted.")


def is_worker(config):
    return hasattr(config, "workerinput")


def tests_home():
    return Path(os.environ[HOME_VARIABLE])


@contextmanager
def once(name):
    """Yield whether the work of this name is still to be done in this run; who asks meanwhile waits until it is."""
    done = tests_home() / f"{name}.done"
    with (tests_home() / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield not done.exists()
        done.touch()


# The description


@pytest.fixture(scope="session")
def description():
    return json.loads(json.dumps(SchemaGenerator().get_schema(public=True)))


@pytest.fixture(scope="session")
def faults_of(description):
    """A function that tells in which places an answer differs from the description of its operation."""

    def faults(path, response, status="200"):
        content = description["paths"][path]["get"]["responses"][status]["content"]
        said = content[response.headers["Content-Type"]]
        schema = {**said["schema"], "components": description["components"]}
        validator = Draft202012Validator(schema, format_checker=FormatChecker())
        return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(json.loads(response.content))]

    return faults


# Databases


@contextmanager
def administration():
    """Yield a connection that may create and drop databases, outside of any test's transaction."""
    settings_dict = settings.DATABASES["default"]
    with psycopg.connect(
        host=settings_dict["HOST"],
        port=settings_dict.get("PORT") or None,
        user=settings_dict["USER"],
        password=settings_dict.get("PASSWORD") or None,
        dbname="postgres",
        autocommit=True,
    ) as connection:
        yield connection


def drop_database(name):
    with administration() as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def copy_database(template, name):
    drop_database(name)
    with administration() as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )


@contextmanager
def connected_to(name):
    """Let `connections["default"]` speak with another database of the server."""
    usual = connections["default"]
    other = connections.create_connection("default")
    other.settings_dict = {**usual.settings_dict, "NAME": name}
    connections["default"] = other
    try:
        yield
    finally:
        other.close()
        connections["default"] = usual


@pytest.fixture(scope="session")
def empty_template(django_test_environment, django_db_blocker):
    """The name of a migrated, empty database, made once for all workers."""
    with once(EMPTY) as is_due, django_db_blocker.unblock():
        if is_due:
            copy_database("template1", EMPTY)
            with connected_to(EMPTY):
                call_command("migrate", interactive=False, verbosity=0)
    return EMPTY


@pytest.fixture(scope="session")
def django_db_setup(empty_template, django_db_modify_db_settings, django_db_blocker):
    """Make the test database also when all who need it use a copy; pytest-django looks for `django_db` alone.

    Its value is the name of the template.
    """
    connections["default"].settings_dict["TEST"]["TEMPLATE"] = empty_template
    with django_db_blocker.unblock():
        made = setup_databases(verbosity=0, interactive=False)
        connections["default"].close()
    yield empty_template
    with django_db_blocker.unblock():
        teardown_databases(made, verbosity=0)


@pytest.fixture(scope="session")
def knowledge_template(django_db_setup, django_db_blocker):
    """The name of a database that holds all fixtures, loaded once for all workers."""
    with once(KNOWLEDGE) as is_due, django_db_blocker.unblock():
        if is_due:
            copy_database(django_db_setup, KNOWLEDGE)
            with connected_to(KNOWLEDGE):
                call_command("load_knowledge", verbosity=0)
    return KNOWLEDGE


@pytest.fixture(scope="session")
def knowledge_database(knowledge_template, worker_id):
    name = f"test_kbase_knowledge_{worker_id}"
    copy_database(knowledge_template, name)
    yield name
    drop_database(name)


@pytest.fixture
def knowledge(db, knowledge_database):
    """Let the test see the whole knowledge of `fixtures/` in `connections["default"]`.

    It has a database of its own, made once, and each test runs in a transaction there that is rolled back, so that a
    test may change what it likes. Asking for this fixture is enough: `django_db` is implied. Rows that a test makes
    before it asks for the fixture would be in the other, empty database.
    """
    with connected_to(knowledge_database), transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture(scope="session")
def worlds(django_db_setup, worker_id):
    """The databases that hold a world of random rows, by its seed and its size; `world_of` makes them."""
    made = {}
    yield made
    for name in made.values():
        drop_database(name)


@pytest.fixture
def world_of(worlds, django_db_setup, django_db_blocker, worker_id):
    """A function that lets the test see the world of a seed and a size in `connections["default"]`.

    As with `knowledge`, the rows are made once, and what a test does to them is taken back.
    """
    with django_db_blocker.unblock(), ExitStack() as stack:

        def enter(seed, size=10):
            if (seed, size) not in worlds:
                name = f"test_kbase_world_{seed}_{size}_{worker_id}"
                copy_database(django_db_setup, name)
                with connected_to(name):
                    World(Random(seed), size).fill()
                worlds[seed, size] = name
            stack.enter_context(connected_to(worlds[seed, size]))
            stack.enter_context(transaction.atomic())
            stack.callback(transaction.set_rollback, True)

        yield enter


@pytest.fixture
def committed(django_db_setup, django_db_blocker, worker_id):
    """An empty database of the test's own, where what is written is committed and so has its moment."""
    with own_database(f"test_kbase_committed_{worker_id}", django_db_setup, django_db_blocker) as name:
        yield name


@contextmanager
def own_database(name, template, django_db_blocker):
    """Let `connections["default"]` speak with a copy of the template."""
    with django_db_blocker.unblock():
        copy_database(template, name)
        with connected_to(name):
            yield name
        drop_database(name)


# What the API answers


@pytest.fixture(autouse=True, scope="session")
def answers_are_as_described():
    """Fail each test that gets an answer which the description does not allow."""
    usual = ClientHandler.get_response

    def get_response(handler, request):
        response = usual(handler, request)
        if described.is_described(request):
            found = list(described.faults(request, response))[:5]
            assert not found, (request.get_full_path(), response.status_code, found)
        return response

    ClientHandler.get_response = get_response
    yield
    ClientHandler.get_response = usual


# The real server


def database_url(name):
    settings_dict = settings.DATABASES["default"]
    user = quote(settings_dict["USER"], safe="")
    if settings_dict.get("PASSWORD"):
        user += ":" + quote(settings_dict["PASSWORD"], safe="")
    port = f":{settings_dict['PORT']}" if settings_dict.get("PORT") else ""
    return f"postgresql://{user}@{quote(settings_dict['HOST'], safe='')}{port}/{name}"


@pytest.fixture
def server_home():
    """A folder for a kbase of its own, short enough for the path of a socket."""
    with tempfile.TemporaryDirectory(
        prefix="kbase-", dir=homes.memory() or "/tmp", ignore_cleanup_errors=True
    ) as folder:
        Path(folder).chmod(0o711)
        yield Path(folder)


@pytest.fixture
def settled_home(server_home):
    """Such a folder in which kbase has served before, so that it starts without migrating and loading once more."""
    settled = tests_home() / "settled"
    with once("settled") as is_due:
        if is_due:
            homes.settle(settled)
    homes.copy_home(settled, server_home)
    return server_home


@pytest.fixture(scope="session")
def furnish():
    """A function that spares a new home the collecting of the static files; they are collected once for all of them."""
    furnished = tests_home() / "furnished"
    with once("furnished") as is_due:
        if is_due:
            homes.collect(furnished)
    return lambda home: (home / "static").symlink_to(furnished / "static")


@pytest.fixture(scope="session")
def server(knowledge_template, worker_id, furnish):
    """The production server on its own copy of the whole knowledge, as `make run` starts it."""
    name = f"test_kbase_server_{worker_id}"
    copy_database(knowledge_template, name)
    home = tests_home() / f"server-{worker_id}"
    home.mkdir()
    furnish(home)
    running = start_server(home, free_port(), DATABASE_URL=database_url(name))
    yield running
    running.process.terminate()
    running.process.wait()
    drop_database(name)


@pytest.fixture(scope="module")
def browser():
    """Debian's Chromium; `new_page` gives a page that knows nothing of the others."""
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=arguments)
        yield browser
        browser.close()
