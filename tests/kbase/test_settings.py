import re
import stat
import subprocess
import sys

import pytest

from tests.running import PROJECT, environment


def settings_with(home, expression="1", **variables):
    """Load the settings in a process of its own; return what it says and whether it failed."""
    variables = {"KBASE_HOME": str(home), **variables}
    return subprocess.run(
        [sys.executable, "-c", f"from kbase import settings; print({expression})"],
        cwd=PROJECT,
        env=environment(**variables),
        capture_output=True,
        text=True,
        check=False,
    )


def value_with(home, expression, **variables):
    answer = settings_with(home, expression, **variables)
    assert answer.returncode == 0, answer.stderr
    return answer.stdout.strip()


@pytest.mark.parametrize(
    ("name", "value", "remedy"),
    [
        ("KBASE_DEBUG", "maybe", "set it to 'on' or 'off'"),
        ("PORT", "http", "whole number from 1 to 65535"),
        ("PORT", "0", "whole number from 1 to 65535"),
        ("PORT", "65536", "whole number from 1 to 65535"),
        ("PORT", "8_000", "whole number from 1 to 65535"),
        ("PORT", "٨٠٠٠", "whole number from 1 to 65535"),
        ("PORT", "9" * 5000, "whole number from 1 to 65535"),
        ("KBASE_WORKERS", "-1", "whole number from 1 to 64"),
        ("KBASE_LOG_LEVEL", "loud", "one of DEBUG, INFO"),
        ("DATABASE_URL", "mysql://root@localhost/kbase", "set it to 'postgresql://"),
        ("DATABASE_URL", "postgresql://u:p@host:port/kbase", "cannot be read"),
        ("DATABASE_REPLICA_URLS", "postgresql://replica/kbase", "needs DATABASE_URL"),
        ("KBASE_REPLICA_LAG_SECONDS", "0", "whole number from 1 to 3600"),
        ("CACHE_URL", "localhost:6379", "set it to 'redis://"),
        ("KBASE_WORKER", "2", "did you mean KBASE_WORKERS?"),
        ("KBASE_COLOUR", "red", "docs/operations.md"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_name_and_remedy(tmp_path, name, value, remedy):
    answer = settings_with(tmp_path, **{name: value})

    assert answer.returncode != 0
    reason = answer.stderr.splitlines()[-1]
    assert name in reason
    assert remedy in reason


@pytest.mark.parametrize(("value", "meant"), [("on", "True"), ("Yes", "True"), ("0", "False"), ("", "False")])
def test_switches_understand_the_usual_words(tmp_path, value, meant):
    assert value_with(tmp_path, "settings.DEBUG", KBASE_DEBUG=value) == meant


def test_secret_key_is_made_once_and_readable_by_its_owner_alone(tmp_path):
    first = value_with(tmp_path, "settings.SECRET_KEY")

    assert len(first) >= 64
    assert value_with(tmp_path, "settings.SECRET_KEY") == first
    assert stat.S_IMODE((tmp_path / "secret_key").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["secret_key"]


def test_secret_key_of_the_environment_is_used_and_never_written(tmp_path):
    key = value_with(tmp_path, "settings.SECRET_KEY", KBASE_SECRET_KEY="k" * 64)

    assert key == "k" * 64
    assert list(tmp_path.iterdir()) == []


def test_loading_the_settings_starts_no_database(tmp_path):
    assert value_with(tmp_path, "settings.DATABASES['default']['ENGINE']") == "kbase.database"

    assert not (tmp_path / "postgres").exists()


def test_database_url_is_used_with_our_options(tmp_path):
    url = "postgresql://u:p%40ss@db.example:6432/laws?sslmode=require"

    database = eval(value_with(tmp_path, "settings.DATABASES['default']", DATABASE_URL=url))

    assert (database["USER"], database["PASSWORD"], database["HOST"], database["PORT"]) == (
        "u",
        "p@ss",
        "db.example",
        6432,
    )
    assert database["NAME"] == "laws"
    assert database["OPTIONS"]["sslmode"] == "require"
    assert "plan_cache_mode=force_generic_plan" in database["OPTIONS"]["options"]


def test_replicas_are_databases_of_their_own_that_are_not_waited_for(tmp_path):
    urls = {
        "DATABASE_URL": "postgresql://one/kbase",
        "DATABASE_REPLICA_URLS": "postgresql://two/kbase, postgresql://three/kbase",
    }
    databases = eval(value_with(tmp_path, "settings.DATABASES", **urls))

    assert {name: database["HOST"] for name, database in databases.items()} == {
        "default": "one",
        "replica_1": "two",
        "replica_2": "three",
    }
    assert {database["OPTIONS"]["connect_timeout"] for database in databases.values()} == {2}


def test_every_setting_is_in_the_table_of_the_operations_paper(tmp_path):
    known = set(eval(value_with(tmp_path, "settings._known_variables")))
    paper = (PROJECT / "docs" / "operations.md").read_text()

    documented = set(re.findall(r"^\| `([A-Z_]+)` \|", paper, re.MULTILINE))

    assert documented == known | {"EDITOR_NAME", "EDITOR_PASSWORD"}


def test_every_make_target_is_explained():
    makefile = (PROJECT / "Makefile").read_text()
    [phony] = re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)

    assert set(phony.split()) == set(re.findall(r"^([a-z-]+):.*## \S", makefile, re.MULTILINE))
