"""A policy's dates are those of its milestones, whichever of both is written, and how."""

import json
from datetime import date

import pytest
from django.db import connection

from regulations.models import Policy
from tests.factories import make_milestone, make_policy

ADOPTED, IN_FORCE, REPEALED = date(2024, 1, 1), date(2024, 2, 1), date(2024, 3, 1)


@pytest.fixture
def policy(db):
    policy = make_policy(slug="law")
    for kind, day in (("adopted", ADOPTED), ("in_force", IN_FORCE), ("repealed", REPEALED)):
        make_milestone(policy=policy, kind=kind, date=day)
    return policy


def dates():
    return Policy.objects.values_list("introduced_on", "effective_from", "effective_until").get(slug="law")


def test_dates_written_to_the_policy_itself_do_not_stick(policy):
    Policy.objects.update(introduced_on=date(1999, 1, 1), effective_from=None, effective_until=None)

    assert dates() == (ADOPTED, IN_FORCE, REPEALED)


def test_a_row_put_back_as_it_was_has_the_dates_of_its_milestones_now(policy):
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_jsonb(policy) FROM regulations_policy AS policy")
        before = json.loads(cursor.fetchone()[0])
        policy.milestones.filter(kind="repealed").delete()
        columns = ", ".join(f'"{name}"' for name in before)
        cursor.execute(
            f"UPDATE regulations_policy SET ({columns}) = (SELECT {columns} FROM jsonb_populate_record(NULL::regulations_policy, %s))",
            [json.dumps(before)],
        )

    assert dates() == (ADOPTED, IN_FORCE, None)


def test_a_policy_that_is_written_with_dates_and_has_no_milestones_has_none(db):
    make_policy(slug="law", introduced_on=ADOPTED, effective_from=IN_FORCE)

    assert dates() == (None, None, None)
