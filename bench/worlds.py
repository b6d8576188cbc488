"""Databases with a made-up world each, kept from run to run as long as what makes them is the same."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
from django.conf import settings
from django.core.management import call_command
from django.db import connection, connections
from psycopg import sql

from bench import edits, generate
from kbase import embedded

PROJECT = Path(__file__).resolve().parent.parent
# What a world depends on.
MADE_BY = ["bench/words.yaml", *(f"bench/{name}.py" for name in ("edits", "generate", "prose", "tables"))]
MIGRATIONS = "*/migrations/*.py"

Say = Callable[[str], None]


def ensure_world(size: int, say: Say) -> str:
    """Return the name of a database with the world of so many policies; make it unless it is there."""
    name, kept, wanted = f"world_{size}", _marks_of(f"world_{size}"), marks()
    if not kept or kept - wanted:
        say(f"Generating {size:,} policies and what belongs to them ...")
        _begin_anew(name)
        with connected_to(name):
            make_world(size)
    elif wanted - kept:
        with connected_to(name):
            call_command("migrate", verbosity=0, interactive=False)
            settle()
    with _administration() as cursor:
        told = sql.Literal(" ".join(sorted(wanted)))
        cursor.execute(sql.SQL("COMMENT ON DATABASE {} IS {}").format(sql.Identifier(name), told))
    return name


def copied(name: str) -> str:
    """Return the name of a copy of the database, to write to; drop it after use."""
    copy = f"{name}_copy"
    with _administration() as cursor:
        drop(copy)
        cursor.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY").format(
                sql.Identifier(copy), sql.Identifier(name)
            )
        )
        cursor.execute("CHECKPOINT")
    return copy


def drop(name: str) -> None:
    with _administration() as cursor:
        cursor.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def ensure_knowledge() -> str:
    """Return the name of a database with the knowledge of fixtures/, loaded anew."""
    _begin_anew("knowledge")
    with connected_to("knowledge"):
        call_command("migrate", verbosity=0, interactive=False)
        call_command("load_knowledge", verbosity=0)
    return "knowledge"


def make_world(size: int) -> None:
    """Fill the empty database of `connection` with a world and some history, and let PostgreSQL know what it holds."""
    call_command("migrate", verbosity=0, interactive=False)
    generate.fill(size, with_triggers=False)
    settle()
    edits.make_history()
    settle()


def settle() -> None:
    """Give PostgreSQL statistics and visibility maps, and have it write now what it would write while we measure."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")
        cursor.execute("CHECKPOINT")


def marks() -> set[str]:
    """What makes a world: each file by its name and a short text that changes when the file does.

    A world that was made by a part of these files lacks the newest migrations alone.
    """
    files = [*(PROJECT / name for name in MADE_BY), *PROJECT.glob(MIGRATIONS)]
    return {f"{file.stem}:{hashlib.sha256(file.read_bytes()).hexdigest()[:8]}" for file in files}


@contextmanager
def connected_to(name: str) -> Iterator[None]:
    """Let `connection` speak with this database of our server."""
    usual = connection.settings_dict["NAME"]
    connections.close_all()
    connection.settings_dict["NAME"] = name
    try:
        yield
    finally:
        connections.close_all()
        connection.settings_dict["NAME"] = usual


def url(name: str) -> str:
    """The address of a database of our server, as DATABASE_URL takes it."""
    return f"postgresql://{embedded.USER}@{quote(str(_server().socket_folder), safe='')}/{name}"


def server_pid() -> int:
    """The process of the database server, the parent of all that work for it."""
    return int((settings.EMBEDDED_DATA / "postmaster.pid").read_text().split()[0])


def _server() -> embedded.Server:
    return embedded.server_in(settings.EMBEDDED_DATA)


def _marks_of(name: str) -> set[str]:
    """What the database was made by; nothing if it is missing or half made."""
    with _administration() as cursor:
        cursor.execute("SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s", [name])
        found = cursor.fetchone()
    return set(((found and found[0]) or "").split())


def _begin_anew(name: str) -> None:
    with _administration() as cursor:
        for statement in ("DROP DATABASE IF EXISTS {} WITH (FORCE)", "CREATE DATABASE {}"):
            cursor.execute(sql.SQL(statement).format(sql.Identifier(name)))


@contextmanager
def _administration() -> Iterator[psycopg.Cursor[Any]]:
    _server().hold()
    with psycopg.connect(
        host=str(_server().socket_folder), user=embedded.USER, dbname="postgres", autocommit=True
    ) as administration:
        yield administration.cursor()
