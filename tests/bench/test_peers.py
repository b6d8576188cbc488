"""Those who answer in shapes of their own are asked for the same records as we are."""

import json
import sqlite3
from contextlib import closing
from datetime import date

import pytest

from bench.candidates import CANDIDATES, DATASETTE, DIRECTUS, OURS, fitting
from bench.peers import datasette, directus
from bench.questions import Question, same
from regulations.models import Policy
from tests.factories import make_jurisdiction, make_milestone, make_policy, make_topic

ON = date(2026, 6, 1)
QUESTION = Question("newest", "/ours", own={DATASETTE: "/theirs", DIRECTUS: "/theirs"})


@pytest.fixture
def policies(db):
    """Of one place and topic: two in force, one of them from the day itself, one that ends on it, one undated."""
    place, topic = make_jurisdiction(code="HK"), make_topic(slug="custody")
    steps = {
        "old": [("in_force", date(2020, 1, 1))],
        "new": [("announced", date(2025, 1, 1)), ("in_force", ON)],
        "ended": [("in_force", date(2021, 1, 1)), ("repealed", ON)],
        "undated": [],
    }
    for slug, dated in steps.items():
        policy = make_policy(slug=slug, jurisdiction=place)
        policy.topics.add(topic)
        for kind, day in dated:
            make_milestone(policy=policy, kind=kind, date=day)
    make_policy(slug="elsewhere").topics.add(topic)


def asked(folder, question, **parameters):
    """The keys that the query of the question finds in the copy."""
    found = datasette.prepare(folder, [])
    with closing(sqlite3.connect(found["COPY"])) as copy:
        return [row[0] for row in copy.execute(datasette.QUERIES[question]["sql"], parameters)]


def test_copy_in_sqlite_has_our_policies_in_our_order(policies, tmp_path):
    assert asked(tmp_path, "newest") == list(Policy.objects.values_list("slug", flat=True))


def test_copy_in_sqlite_says_the_same_is_in_force(policies, tmp_path):
    found = asked(tmp_path, "in_force", jurisdiction="HK", topic="custody", on=ON.isoformat())

    assert found == list(Policy.objects.filter(jurisdiction__code="HK").in_force(ON).values_list("slug", flat=True))
    assert found == ["new", "old"]


def test_copy_in_sqlite_is_kept_while_the_world_is_the_same(policies, tmp_path):
    before = asked(tmp_path, "newest")
    make_policy(slug="later")

    assert asked(tmp_path, "newest") == before


def test_copy_in_sqlite_that_was_broken_off_is_made_again(policies, tmp_path):
    file = datasette.prepare(tmp_path, [])["COPY"]
    with closing(sqlite3.connect(file)) as copy:
        copy.executescript("DELETE FROM policies; PRAGMA user_version = 0")

    assert len(asked(tmp_path, "newest")) == Policy.objects.count()


@pytest.mark.parametrize("shape", [lambda rows: rows, lambda rows: {"data": rows}])
def test_answers_of_other_shapes_are_compared_by_their_keys_in_order(shape):
    ours = json.dumps({"count": 2, "results": [{"slug": "a"}, {"slug": "b"}]}).encode()

    assert same(QUESTION, DIRECTUS, ours, json.dumps(shape([{"slug": "a"}, {"slug": "b"}])).encode())
    assert not same(QUESTION, DIRECTUS, ours, json.dumps(shape([{"slug": "b"}, {"slug": "a"}])).encode())


def test_directus_is_not_asked_for_more_policies_than_it_can_copy(capsys):
    few, many = ([each.name for each in fitting(CANDIDATES, size)] for size in (100_000, 1_000_000))

    assert {*few} - {*many} == {DIRECTUS}
    assert OURS in many
    assert "Directus is asked for 100,000 policies at most" in capsys.readouterr().err


def test_directus_without_npm_is_left_out_with_a_sentence(settings, tmp_path, monkeypatch, capsys):
    settings.KBASE_HOME = tmp_path
    monkeypatch.setenv("PATH", str(tmp_path))

    assert not directus.is_installed()
    assert "Directus is left out: it needs Node.js and npm" in capsys.readouterr().err


def test_directus_that_npm_cannot_install_is_left_out_with_a_sentence(settings, tmp_path, monkeypatch, capsys):
    settings.KBASE_HOME = tmp_path
    for name in ("node", "npm"):
        (tmp_path / name).write_text("#!/bin/sh\necho no network; exit 1\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    assert not directus.is_installed()
    assert "Directus is left out: npm could not install it" in capsys.readouterr().err
    assert "no network" in (tmp_path / "Directus" / directus.LOG).read_text()
