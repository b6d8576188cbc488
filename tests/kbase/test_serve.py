import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
from pathlib import Path

import psutil
import psycopg
import pytest

from kbase.embedded import Server
from tests.running import PROJECT, environment, free_port, start_server


@pytest.fixture
def family():
    """Collect processes; those that a test left alive are ended after it."""
    processes = []
    yield processes
    for process in processes:
        if process.is_running():
            process.kill()


def descendants(pid):
    parent = psutil.Process(pid)
    return [parent, *parent.children(recursive=True)]


def all_gone(processes):
    return [process for process in processes if process.is_running() and process.status() != psutil.STATUS_ZOMBIE] == []


def serve_in_vain(home, port, **variables):
    return subprocess.run(
        [sys.executable, "manage.py", "serve"],
        cwd=PROJECT,
        env=environment(KBASE_HOME=str(home), PORT=str(port), **variables),
        capture_output=True,
        text=True,
        check=False,
    )


def test_serves_from_an_empty_folder_and_stops_with_all_it_started(server_home, family):
    serves_and_stops(server_home, family, signal.SIGTERM)


def test_serves_again_and_stops_by_ctrl_c_with_all_it_started(settled_home, family):
    serves_and_stops(settled_home, family, signal.SIGINT)


def serves_and_stops(server_home, family, number):
    running = start_server(server_home, free_port())
    family += descendants(running.process.pid)
    database = Server(server_home / "postgres")
    assert database.is_running()
    with running.get("/api/docs/") as answer:
        assert answer.status == 200

    running.process.send_signal(number)
    status = running.process.wait()

    assert status == 0, (server_home / "serve.log").read_text()
    assert all_gone(family)
    assert database._processes() == []
    assert (server_home / "serve.log").read_text().endswith("Stopped.\n")


def test_says_where_to_look(settled_home, family):
    running = start_server(settled_home, free_port())
    family += descendants(running.process.pid)
    running.process.terminate()
    running.process.wait()

    said = (settled_home / "serve.log").read_text()

    for place in ("/api/v1/", "/api/docs/", "/admin/"):
        assert running.url + place in said
    assert "make editor" in said


def test_second_signal_does_not_cut_the_database_short(settled_home, family):
    running = start_server(settled_home, free_port())
    family += descendants(running.process.pid)

    for _ in range(5):
        running.process.terminate()
        time.sleep(0.01)

    assert running.process.wait() == 0
    # The log has earlier shutdowns, too.
    assert "database system is shut down" in (settled_home / "postgres" / "server.log").read_text().splitlines()[-1]


def test_ctrl_c_and_sigterm_reach_the_server_through_make(settled_home, family):
    """As at a terminal: make and the server are one group, and make passes a signal on."""
    port = free_port()
    make = subprocess.Popen(
        ["make", "-s", "-o", ".venv/.run", "run", f"PORT={port}", f"BIN={Path(sys.executable).parent}"],
        cwd=PROJECT,
        env=environment(KBASE_HOME=str(settled_home)),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    for line in make.stdout:
        if line.startswith("Ctrl-C"):
            break
    family += descendants(make.pid)

    os.killpg(make.pid, signal.SIGINT)
    rest, _ = make.communicate()

    assert "Stopped." in rest
    assert all_gone(family)
    assert Server(settled_home / "postgres")._processes() == []


def test_taken_port_is_named_before_anything_is_started(server_home):
    with socket.create_server(("127.0.0.1", 0)) as squatter:
        port = squatter.getsockname()[1]
        answer = serve_in_vain(server_home, port)

    assert answer.returncode == 1
    assert f"Port {port} of 127.0.0.1 cannot be used" in answer.stderr
    assert "PORT=" in answer.stderr
    assert not (server_home / "postgres").exists()


def test_second_server_of_one_folder_is_told_about_the_first(settled_home, family):
    running = start_server(settled_home, free_port())
    family += descendants(running.process.pid)

    answer = serve_in_vain(settled_home, free_port())
    running.process.terminate()
    running.process.wait()

    assert answer.returncode == 1
    assert f"already runs from this folder: {running.url}, process {running.process.pid}" in answer.stderr


def test_second_start_keeps_what_was_written(settled_home, family):
    first = start_server(settled_home, free_port())
    family += descendants(first.process.pid)
    database = Server(settled_home / "postgres")
    with psycopg.connect(host=str(database.socket_folder), user="kbase", dbname="kbase") as connection:
        connection.execute("CREATE TABLE fact AS SELECT 42 AS answer")
    first.process.terminate()
    first.process.wait()

    second = start_server(settled_home, free_port())
    family += descendants(second.process.pid)
    with psycopg.connect(host=str(database.socket_folder), user="kbase", dbname="kbase") as connection:
        assert connection.execute("SELECT answer FROM fact").fetchone() == (42,)
    second.process.terminate()

    assert second.process.wait() == 0


def test_start_after_a_kill_adopts_the_database_and_stops_it_in_the_end(settled_home, family):
    victim = start_server(settled_home, free_port())
    family += descendants(victim.process.pid)
    for process in family:
        if process.name() != "postgres":
            process.kill()
    victim.process.wait()

    heir = start_server(settled_home, free_port())
    family += descendants(heir.process.pid)
    heir.process.terminate()

    assert heir.process.wait() == 0
    assert Server(settled_home / "postgres")._processes() == []


def test_database_that_dies_is_started_again_while_serving(settled_home, family):
    running = start_server(settled_home, free_port())
    family += descendants(running.process.pid)
    for process in Server(settled_home / "postgres")._processes():
        process.kill()

    statuses = [health(running) for _ in range(3)]
    running.process.terminate()

    assert statuses[-1] == 200, (settled_home / "serve.log").read_text()
    assert running.process.wait() == 0


def health(running):
    try:
        with running.get("/healthz") as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def test_server_of_database_url_that_is_away_is_named(server_home):
    answer = serve_in_vain(server_home, free_port(), DATABASE_URL=f"postgresql://u@127.0.0.1:{free_port()}/kbase")

    assert answer.returncode == 1
    assert "Check DATABASE_URL" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_first_editor_is_made_from_the_environment(server_home, family):
    answer = subprocess.run(
        [sys.executable, "manage.py", "editor"],
        cwd=PROJECT,
        env=environment(KBASE_HOME=str(server_home), EDITOR_NAME="ada", EDITOR_PASSWORD="correct horse 9"),
        capture_output=True,
        text=True,
        check=False,
    )

    assert answer.stdout == "ada can now log in at /admin/.\n", answer.stderr


@pytest.mark.parametrize(
    ("variables", "reason"),
    [
        ({"EDITOR_NAME": "ada"}, "set EDITOR_NAME and EDITOR_PASSWORD"),
        ({"EDITOR_NAME": "ada", "EDITOR_PASSWORD": "1234"}, "too short"),
    ],
)
def test_editor_without_a_good_password_is_refused(server_home, variables, reason):
    answer = subprocess.run(
        [sys.executable, "manage.py", "editor"],
        cwd=PROJECT,
        env=environment(KBASE_HOME=str(server_home), **variables),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )

    assert answer.returncode == 1
    assert reason in answer.stderr
