import os
import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from kbase import embedded
from kbase.embedded import EmbeddedError, Server


@pytest.fixture
def folder(server_home):
    yield server_home / "postgres"
    for process in Server(server_home / "postgres")._processes():
        process.kill()


@pytest.fixture
def server(folder):
    server = Server(folder, durable=False)
    yield server
    server.release()


def ask(server, question):
    with psycopg.connect(host=str(server.socket_folder), user=embedded.USER, dbname=embedded.DATABASE) as connection:
        return connection.execute(question).fetchone()[0]


def hold_elsewhere(folder, then="input()"):
    """Return a process that holds the server of the folder until its input is closed."""
    code = (
        "import pathlib, sys; from kbase.embedded import Server; "
        f"Server(pathlib.Path(sys.argv[1]), durable=False).hold(); print('held', flush=True); {then}"
    )
    return subprocess.Popen(
        [sys.executable, "-c", code, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def end(process):
    process.communicate("\n")
    assert process.returncode == 0


def test_server_answers_while_it_is_held_and_leaves_no_process_behind(server):
    server.hold()
    assert ask(server, "SELECT 1") == 1

    server.release()

    assert not server.is_running()
    assert server._processes() == []


def test_naming_a_server_starts_and_writes_nothing(folder):
    assert Server(folder).socket_folder == folder.resolve()

    assert not folder.exists()


def test_what_was_written_is_there_after_a_restart(server):
    server.hold()
    with psycopg.connect(host=str(server.socket_folder), user="kbase", dbname="kbase") as connection:
        connection.execute("CREATE TABLE fact AS SELECT 42 AS answer")
    server.release()

    server.hold()

    assert ask(server, "SELECT answer FROM fact") == 42


def test_order_and_letters_are_those_of_unicode_on_every_machine(server):
    server.hold()

    assert (
        ask(server, "SELECT datlocprovider::text || datlocale FROM pg_database WHERE datname = 'kbase'") == "bC.UTF-8"
    )
    assert ask(server, "SELECT lower('ÉÜ')") == "éü"
    with psycopg.connect(host=str(server.socket_folder), user="kbase", dbname="kbase") as connection:
        connection.execute("CREATE EXTENSION pg_trgm")
        assert connection.execute("SELECT array_length(show_trgm('한국'), 1)").fetchone() == (3,)


def test_last_of_two_users_stops_the_server(server, folder):
    other = hold_elsewhere(folder)
    other.stdout.readline()
    server.hold()

    end(other)
    assert ask(server, "SELECT 1") == 1

    server.release()
    assert not server.is_running()


def test_first_of_two_users_leaves_the_server_to_the_second(server, folder):
    server.hold()
    other = hold_elsewhere(folder)
    other.stdout.readline()

    server.release()
    assert server.is_running()

    end(other)
    assert not server.is_running()


def test_forked_child_does_not_stop_its_parents_server(server):
    server.hold()
    child = os.fork()
    if not child:
        server._release_in(os.getppid())
        os._exit(0)
    os.waitpid(child, 0)

    assert ask(server, "SELECT 1") == 1


def test_server_whose_user_was_killed_is_adopted_and_then_stopped(server, folder):
    victim = hold_elsewhere(folder)
    victim.stdout.readline()
    [before] = [process for process in server._processes() if process.children()]
    victim.kill()
    victim.communicate()
    assert server.is_running()

    server.hold()
    assert before.is_running()

    server.release()
    assert server._processes() == []


def test_server_that_was_killed_is_started_again(server):
    server.hold()
    server._child.kill()
    server._child.wait()

    server.revive()

    assert ask(server, "SELECT 1") == 1


def test_mark_of_a_dead_server_whose_number_another_process_has_today_is_forgotten(server, folder):
    server.hold()
    server.release()
    account = server._account_options()
    bystander = subprocess.Popen(["sleep", "600"], **account)
    mark = f"{bystander.pid}\n{folder}\n1\n5432\n{folder}\n\n  1 1\nready\n"
    (folder / "postmaster.pid").write_text(mark)
    (folder / f"{embedded.SOCKET_NAME}.lock").write_text(mark)

    try:
        server.hold()
        assert ask(server, "SELECT 1") == 1
    finally:
        bystander.kill()
        bystander.wait()


def test_half_made_data_folder_is_made_anew(server, folder):
    draft = folder.with_name("postgres.new")
    draft.mkdir()
    (draft / "PG_VERSION").write_text("18")

    server.hold()

    assert ask(server, "SELECT 1") == 1
    assert not draft.exists()


def test_data_folder_deep_in_the_tree_gets_a_short_private_socket_folder(server_home):
    deep = server_home / ("d" * 60) / ("e" * 60) / "postgres"
    server = Server(deep, durable=False)
    assert len(str(server.socket_folder)) < 40

    server.hold()
    try:
        assert ask(server, "SELECT 1") == 1
        assert server.socket_folder.stat().st_mode & 0o777 == 0o700
    finally:
        server.release()
    assert not server.socket_folder.exists()


@pytest.mark.parametrize("name", ["with space", "it's", 'a "quote"', "comma,comma", "Ünïcode"])
def test_odd_folder_names_work(server_home, name):
    server = Server(server_home / name / "postgres", durable=False)

    server.hold()

    try:
        assert ask(server, "SELECT 1") == 1
    finally:
        server.release()


def test_folder_that_is_closed_to_others_works_for_root_too(server_home):
    closed = server_home / "closed"
    closed.mkdir(mode=0o700)
    server = Server(closed / "postgres", durable=False)

    server.hold()

    try:
        assert ask(server, "SELECT 1") == 1
        assert closed.stat().st_mode & 0o066 == 0
    finally:
        server.release()


def test_socket_folder_of_somebody_else_is_refused(server_home):
    server = Server(server_home / ("d" * 90) / "postgres", durable=False)
    trap = server_home / "trap"
    trap.mkdir()
    server.socket_folder.symlink_to(trap)

    try:
        with pytest.raises(EmbeddedError, match="belongs to another user"):
            server.hold()
    finally:
        server.socket_folder.unlink()


def test_data_of_another_version_is_refused_with_the_way_out(server, folder):
    folder.mkdir()
    (folder / "PG_VERSION").write_text("17\n")

    with pytest.raises(EmbeddedError, match=r"PostgreSQL 17, and this kbase brings 18.*restore"):
        server.hold()


def test_folder_of_something_else_is_refused_and_kept(server, folder):
    folder.mkdir()
    (folder / "thesis.txt").write_text("precious")

    with pytest.raises(EmbeddedError, match="is no database"):
        server.hold()

    assert (folder / "thesis.txt").read_text() == "precious"


def test_home_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").touch()

    with pytest.raises(EmbeddedError, match=f"cannot be kept in {tmp_path}/file"):
        Server(tmp_path / "file" / "postgres").hold()


def test_failed_start_shows_what_postgresql_says(server, folder):
    server.hold()
    server.release()
    (folder / "global" / "pg_control").unlink()

    with pytest.raises(EmbeddedError, match=r"cannot start\. PostgreSQL says:[\s\S]*pg_control"):
        server.hold()


@pytest.mark.parametrize("sign", embedded.REMEDIES)
def test_known_troubles_come_with_their_remedy(sign):
    advice = Server(Path("/nowhere"))._advice(f"FATAL: could not write: {sign}")

    assert advice.startswith(embedded.REMEDIES[sign])
    assert sign in advice


def test_command_that_is_told_to_stop_stops_the_server_it_has_started(folder):
    environment = {**os.environ, "KBASE_HOME": str(folder.parent)}
    environment.pop("DATABASE_URL", None)
    code = "import signal, time; from django.db import connection; connection.ensure_connection(); print('up', flush=True); time.sleep(600)"
    command = subprocess.Popen(
        [sys.executable, "manage.py", "shell", "--verbosity=0", "-c", code],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    command.stdout.readline()

    command.send_signal(signal.SIGTERM)
    command.communicate()

    assert command.returncode == 128 + signal.SIGTERM
    assert Server(folder)._processes() == []
