from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from regulations.models.checks import CHECKS, Kind
from tests.factories import make_authorisation, make_citation, make_membership, make_policy

pytestmark = pytest.mark.django_db


def run(*arguments):
    output = StringIO()
    call_command("check_knowledge", *arguments, stdout=output)
    return output.getvalue()


def test_it_reports_each_kind_with_counts_and_ends_with_a_sentence():
    told = run("--on", "2026-07-01")

    assert [label for label in Kind.labels if f"\n{label}\n" in told] == Kind.labels
    assert told.count("      0  ") == len(CHECKS)
    assert told.endswith("\n0 faults, 0 doubts and 0 gaps, as of 2026-07-01.\n")


def test_it_names_the_first_records_found_and_says_that_there_are_more():
    for number in range(7):
        make_policy(slug=f"law-{number}", kind="roadmap")

    assert "      7  policies\n         law-0, law-1, law-2, law-3, law-4, …\n" in run()


def test_it_names_all_records_when_asked_to():
    for number in range(7):
        make_policy(slug=f"law-{number}", kind="roadmap")

    assert "law-4, law-5, law-6\n" in run("--all")


def test_it_does_not_fail_for_faults_unless_it_is_strict():
    make_policy(kind="statute")

    assert "2 faults" in run()
    with pytest.raises(CommandError, match=r"^2 faults, 0 doubts and 7 gaps"):
        run("--strict")


def test_gaps_are_no_reason_to_fail():
    authorisation = make_authorisation()
    for record in ("company", "jurisdiction"):
        make_citation(**{record: getattr(authorisation, record)})
    make_citation(authorisation=authorisation)

    assert "0 faults, 0 doubts and " in run("--strict")


def test_its_queries_do_not_grow_with_what_it_finds():
    counts = []
    for _ in range(2):
        make_membership()
        make_policy()
        with CaptureQueriesContext(
            connection,
        ) as queries:
            run("--all")
        counts.append(len(queries))

    # One for each check.
    assert counts == [len(CHECKS), len(CHECKS)]


def test_a_day_that_is_none_is_refused():
    with pytest.raises(CommandError, match="--on"):
        run("--on", "yesterday")
