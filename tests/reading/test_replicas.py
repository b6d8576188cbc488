"""What the primary's words tell of its replicas; tests/kbase/test_replicas.py has real ones."""

from datetime import UTC, datetime, timedelta
from math import inf

import pytest
from django.core.exceptions import MiddlewareNotUsed

from kbase.reading.replicas import NEVER, Primary, ReadsFromReplicas, Word

START = datetime(2026, 1, 1, tzinfo=UTC)


def at(second):
    return START + timedelta(seconds=second)


def primary(*words):
    """A primary with a limit of 5 seconds, from triples: when it spoke, its last change, and whether nobody committed."""
    found = Primary(5)
    for said_at, last_change, is_settled in words:
        found.heard(Word(said_at, at(last_change), at(said_at) if is_settled else None))
    return found


@pytest.mark.parametrize(
    ("replayed", "lag"),
    [
        (50, 0),
        (49, 10),  # the change at 50 was made after the word at 90, and so up to 10 seconds ago
        (40, 10),
        (39, inf),  # nothing tells when the change at 40 was made
    ],
)
def test_lag_is_how_long_ago_the_primary_may_have_been_there(replayed, lag):
    assert primary((90, 40, True), (100, 50, True)).lag(at(replayed)) == lag


def test_an_idle_primary_is_no_lag():
    assert primary((100, 50, True), (4000, 50, True)).lag(at(50)) == 0


def test_without_any_word_of_the_primary_nothing_is_known_to_lag():
    assert primary().lag(at(0)) == 0


def test_a_primary_that_lost_its_last_changes_is_another_one():
    assert primary((90, 40, True), (100, 30, True)).lag(at(30)) == 0


@pytest.mark.parametrize(
    ("replayed", "until"),
    [
        (50, at(100)),
        (49, at(90)),
        (39, at(39)),  # its own last change: moments are given in the order of commits
    ],
)
def test_a_replica_knows_all_changes_until_the_primary_last_was_there(replayed, until):
    assert primary((90, 40, True), (100, 50, True)).known_until(at(replayed)) == until


def test_a_word_amid_a_commit_settles_no_moment():
    assert primary((90, 40, True), (100, 50, False)).known_until(at(50)) == at(90)


def test_an_empty_replica_knows_nothing_before_the_primary_spoke():
    assert primary().known_until(NEVER) == NEVER


def test_without_replicas_nothing_runs():
    with pytest.raises(MiddlewareNotUsed):
        ReadsFromReplicas(lambda request: None)
