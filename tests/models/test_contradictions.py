from datetime import date

import pytest

from regulations.models import contradictions
from tests.factories import (
    make_appointment,
    make_authorisation,
    make_citation,
    make_company,
    make_event,
    make_event_step,
    make_figure,
    make_milestone,
    make_policy,
    make_policy_relation,
    make_source,
    make_stance,
)

pytestmark = pytest.mark.django_db

TODAY = date(2026, 7, 1)
SPRING = date(2025, 3, 1)
SUMMER = date(2025, 6, 1)


def policy_with(*steps, **facts):
    """A policy with steps, each a kind, a date and perhaps a precision."""
    policy = make_policy(**facts)
    for kind, day, *precision in steps:
        make_milestone(policy=policy, kind=kind, date=day, date_precision=precision[0] if precision else "day")
    return policy


@pytest.mark.parametrize(
    ("find", "before", "after"),
    [
        (contradictions.proposed_after_effect, "proposed", "in_force"),
        (contradictions.proposed_after_effect, "proposed", "applies"),
        (contradictions.consulted_backwards, "consultation_opened", "consultation_closed"),
        (contradictions.ended_before_begun, "in_force", "repealed"),
        (contradictions.ended_before_begun, "adopted", "superseded"),
        (contradictions.adopted_after_effect, "adopted", "in_force"),
    ],
)
def test_steps_in_the_wrong_order_are_found(find, before, after):
    wrong = policy_with((before, SUMMER), (after, SPRING))
    policy_with((before, SPRING), (after, SUMMER))
    policy_with((before, SUMMER), (after, SUMMER))
    policy_with((after, SPRING))

    assert list(find(TODAY)) == [wrong]


@pytest.mark.parametrize(
    ("day", "is_wrong"), [(date(2025, 3, 31), False), (date(2025, 4, 1), True), (date(2025, 2, 1), False)]
)
def test_a_month_contradicts_only_what_no_day_of_it_fits(day, is_wrong):
    policy_with(("proposed", day), ("in_force", SPRING, "month"))

    assert contradictions.proposed_after_effect(TODAY).exists() is is_wrong


def test_a_bill_that_is_in_force_is_found_from_that_day_on():
    bill = policy_with(("in_force", SUMMER), kind="bill")
    policy_with(("in_force", SUMMER), kind="statute")

    assert not contradictions.bills_in_force(date(2025, 5, 31)).exists()
    assert list(contradictions.bills_in_force(SUMMER)) == [bill]
    assert list(contradictions.bills_with_steps_of_effect(SPRING)) == [bill]


@pytest.mark.parametrize(
    ("granted", "precision", "is_wrong"),
    [
        (date(2025, 5, 31), "day", True),
        (date(2025, 6, 1), "day", False),
        (date(2025, 12, 31), "day", False),
        (date(2026, 1, 1), "day", True),
        (date(2025, 5, 1), "month", True),
        (date(2025, 1, 1), "year", False),
        (None, "day", False),
    ],
)
def test_an_authorisation_needs_a_policy_in_force_when_it_is_granted(granted, precision, is_wrong):
    policy = policy_with(("in_force", SUMMER), ("repealed", date(2026, 1, 1)))
    make_authorisation(policy=policy, granted_on=granted, granted_on_precision=precision)
    make_authorisation(policy=make_policy(), granted_on=granted, granted_on_precision=precision)

    assert contradictions.granted_without_law(TODAY).exists() is is_wrong


@pytest.mark.parametrize(("granted", "is_wrong"), [(date(2016, 12, 31), True), (date(2017, 1, 1), False)])
def test_a_company_is_founded_before_it_is_authorised(granted, is_wrong):
    company = make_company(founded_on=date(2017, 1, 1), founded_on_precision="year")
    make_authorisation(company=company, granted_on=granted)

    assert contradictions.granted_before_founded(TODAY).exists() is is_wrong


@pytest.mark.parametrize(("held", "is_wrong"), [(date(2025, 5, 31), False), (SUMMER, True)])
def test_an_office_is_not_held_after_its_end(held, is_wrong):
    make_appointment(valid_until=SUMMER, held_on=held)

    assert contradictions.held_out_of_office(TODAY).exists() is is_wrong


@pytest.mark.parametrize(
    ("day", "is_wrong"),
    [
        (date(2025, 5, 31), True),
        (date(2025, 6, 1), False),
        (date(2025, 6, 3), False),
        (date(2025, 6, 4), True),
    ],
)
def test_a_step_lies_within_its_event(day, is_wrong):
    event = make_event(starts_on=date(2025, 6, 1), ends_on=date(2025, 6, 3))
    make_event_step(event=event, date=day)

    assert contradictions.steps_outside_events(TODAY).exists() is is_wrong


def test_nothing_is_known_before_it_was_published():
    source = make_source(published_on=SUMMER)
    make_figure(source=source, as_of=SUMMER)
    make_citation(source=source, read_on=SUMMER)
    figure = make_figure(source=source, as_of=date(2025, 6, 2))
    citation = make_citation(source=source, read_on=date(2025, 5, 31))

    assert list(contradictions.figures_from_the_future(TODAY)) == [figure]
    assert list(contradictions.read_before_published(TODAY)) == [citation]


def test_a_policy_in_force_that_another_in_force_replaces_is_found():
    old, new = policy_with(("in_force", SPRING)), policy_with(("in_force", SUMMER))
    relation = make_policy_relation(policy=new, target=old, kind="supersedes")
    make_policy_relation(policy=new, target=old, kind="amends")
    gone = policy_with(("in_force", SPRING), ("superseded", SUMMER))
    make_policy_relation(policy=new, target=gone, kind="supersedes")

    assert list(contradictions.in_force_though_replaced(SPRING)) == []
    assert list(contradictions.in_force_though_replaced(SUMMER)) == [relation]


def test_a_stance_that_begins_before_all_its_policies_is_found():
    law = policy_with(("in_force", SUMMER))
    early = make_stance(valid_from=SPRING)
    early.policies.add(law)
    fitting = make_stance(valid_from=SUMMER)
    fitting.policies.add(law)
    known_in_part = make_stance(valid_from=SPRING)
    known_in_part.policies.add(law, make_policy())
    make_stance(valid_from=SPRING, stance="proposed").policies.add(law)
    make_stance(valid_from=SPRING)

    assert list(contradictions.stances_before_their_law(TODAY)) == [early]


def test_a_stance_that_is_proposed_though_its_policies_are_in_force_is_found():
    law = policy_with(("in_force", SUMMER))
    stance = make_stance(stance="proposed")
    stance.policies.add(law)
    half = make_stance(stance="proposed")
    half.policies.add(law, make_policy())

    assert list(contradictions.proposed_though_in_force(SPRING)) == []
    assert list(contradictions.proposed_though_in_force(SUMMER)) == [stance]
