"""Policies by Directus, installed by npm into .kbase/bench/Directus, on a copy of the world, where its own tables are.

It is set up by SQL: Directus 11.3.5 stops when one changes a relation that it has found itself. Anybody may read, so that
no request pays for an account.
"""

import json
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import psycopg
from django.conf import settings
from django.db import connection, connections
from psycopg.conninfo import conninfo_to_dict

from bench import worlds

# Newer ones ask for a newer Node.js than most systems have.
VERSION = "11.3.5"
# Directus's own name for what anybody may do.
PUBLIC = "abf8a154-5b1c-4a46-ac9c-7300570f4f17"
LONGEST_SECONDS = 900
LOG = "setting-up.log"

FIELDS = (
    "slug,title,abbreviation,kind,reference,official_url,introduced_on,effective_from,effective_until,summary,"
    "jurisdiction_id.code,jurisdiction_id.name,topics.topic_id.slug,topics.topic_id.name,"
    "regulators.role,regulators.regulator_id.slug,regulators.regulator_id.name"
)
READABLE = [
    f"regulations_{name}"
    for name in ("policy", "policy_topics", "policyregulator", "jurisdiction", "topic", "regulator")
]
# A policy's lists, which are no columns: by name, the table that has them and its column for the other side.
LISTS = [
    ("topics", "regulations_policy_topics", "topic_id", "regulations_topic"),
    ("regulators", "regulations_policyregulator", "regulator_id", "regulations_regulator"),
]


def address(condition: dict[str, Any] | None = None) -> str:
    """What is asked for the newest 50 that meet the condition; those without any date are left out, as it sorts them first."""
    dated = {"introduced_on": {"_nnull": True}}
    chosen = {"_and": [dated, condition]} if condition else dated
    asked = {"limit": 50, "sort": "-introduced_on,slug", "fields": FIELDS, "filter": json.dumps(chosen)}
    return f"/items/regulations_policy?{urlencode(asked, safe=',')}"


def in_force(jurisdiction: str, topic: str, on: str) -> dict[str, Any]:
    """The condition for the policies of a place and topic that are in force, by the days that stand in their own rows."""
    return {
        "_and": [
            {"jurisdiction_id": {"code": {"_eq": jurisdiction}}},
            {"topics": {"topic_id": {"slug": {"_eq": topic}}}},
            {"effective_from": {"_lte": on}},
            {"_or": [{"effective_until": {"_null": True}}, {"effective_until": {"_gt": on}}]},
        ]
    }


def is_installed() -> bool:
    """Whether Directus is there; installs it with npm unless it is. Says why if it cannot."""
    if _installed_version() == VERSION:
        return True
    npm = shutil.which("npm")
    if not npm or not shutil.which("node"):
        _say("Directus is left out: it needs Node.js and npm, which are not installed.")
        return False
    _say("Installing Directus (some minutes, only once) ...")
    _home().mkdir(mode=0o711, parents=True, exist_ok=True)
    try:
        _run([npm, "install", "--no-audit", "--no-fund", "--save-exact", f"directus@{VERSION}"], _home(), {})
    except (subprocess.SubprocessError, OSError):
        _say(f"Directus is left out: npm could not install it; {_home() / LOG} says why.")
        return False
    return True


def prepare(folder: Path, addresses: Sequence[str]) -> dict[str, str]:
    """Copy the world of `connection`, set Directus up there, and return what its server has to know.

    Raises CalledProcessError or TimeoutExpired if Directus cannot make its tables there.
    """
    name = str(connection.settings_dict["NAME"])
    connections.close_all()
    url = worlds.url(worlds.copied(name))
    variables = _variables(folder, url)
    _run([variables["NODE"], variables["DIRECTUS"], "bootstrap"], folder, variables)
    with psycopg.connect(url) as setting_up:
        _set_up(setting_up)
        others = _other_tables(setting_up)
    # The tables that nobody may read would make each request dearer.
    return {**variables, "DB_EXCLUDE_TABLES": ",".join(others)}


def finish() -> None:
    """Drop the copy of the world of `connection`."""
    worlds.drop(f"{connection.settings_dict['NAME']}_copy")


def _variables(folder: Path, url: str) -> dict[str, str]:
    database = conninfo_to_dict(url)
    return {
        "NODE": str(shutil.which("node")),
        "DIRECTUS": str(_cli()),
        "CONFIG_PATH": str(folder / "no.env"),
        "EXTENSIONS_PATH": str(folder / "extensions"),
        "STORAGE_LOCAL_ROOT": str(folder / "uploads"),
        "DB_CLIENT": "pg",
        "DB_HOST": str(database["host"]),
        "DB_PORT": "5432",
        "DB_DATABASE": str(database["dbname"]),
        "DB_USER": str(database["user"]),
        "HOST": "127.0.0.1",
        "SECRET": secrets.token_urlsafe(32),
        "ADMIN_EMAIL": "admin@example.com",
        "ADMIN_PASSWORD": secrets.token_urlsafe(16),
        "TELEMETRY": "false",
        "LOG_LEVEL": "warn",
        # Else it refuses requests while it is busy, which is what we want it to be.
        "PRESSURE_LIMITER_ENABLED": "false",
    }


def _set_up(database: psycopg.Connection[Any]) -> None:
    relation = """INSERT INTO directus_relations
        (many_collection, many_field, one_collection, one_field, junction_field) VALUES (%s, %s, %s, %s, %s)"""
    with database.cursor() as cursor:
        cursor.executemany("INSERT INTO directus_collections (collection) VALUES (%s)", [(each,) for each in READABLE])
        cursor.executemany(
            "INSERT INTO directus_permissions (policy, collection, action, permissions, fields) VALUES (%s, %s, 'read', '{}', '*')",
            [(PUBLIC, each) for each in READABLE],
        )
        cursor.execute(relation, ["regulations_policy", "jurisdiction_id", "regulations_jurisdiction", None, None])
        for name, table, column, other in LISTS:
            cursor.execute(
                "INSERT INTO directus_fields (collection, field, special) VALUES ('regulations_policy', %s, 'm2m')",
                [name],
            )
            cursor.execute(relation, [table, "policy_id", "regulations_policy", name, column])
            cursor.execute(relation, [table, column, other, None, "policy_id"])
        # It sorts what is unknown first, as our indexes do not.
        for columns in ("introduced_on DESC, slug", "jurisdiction_id, introduced_on DESC, slug"):
            cursor.execute(f"CREATE INDEX ON regulations_policy ({columns})")


def _other_tables(database: psycopg.Connection[Any]) -> list[str]:
    """The tables that are neither asked for nor Directus's own."""
    found = database.execute(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename !~ '^directus_' AND tablename <> ALL (%s)",
        [READABLE],
    )
    return [name for (name,) in found]


def _installed_version() -> str:
    """npm writes it down once all is installed."""
    try:
        version: str = json.loads((_home() / "package.json").read_text())["dependencies"]["directus"]
    except (OSError, KeyError):
        return ""
    return version


def _run(command: Sequence[str], folder: Path, variables: dict[str, str]) -> None:
    """Run it in the folder, whose log tells what it said. Raises CalledProcessError if it fails."""
    with (folder / LOG).open("w") as log:
        environ = {**os.environ, **variables}
        subprocess.run(command, cwd=folder, env=environ, stdout=log, stderr=log, check=True, timeout=LONGEST_SECONDS)


def _home() -> Path:
    # Its folder as a candidate.
    home: Path = settings.KBASE_HOME / "Directus"
    return home


def _cli() -> Path:
    return _home() / "node_modules" / "directus" / "cli.js"


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)
