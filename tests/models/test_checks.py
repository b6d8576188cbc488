from datetime import date

import pytest
from django.db import connection

from regulations.models import checks
from regulations.models.checks import CHECKS, Kind
from tests.factories import (
    make_appointment,
    make_authorisation,
    make_citation,
    make_company,
    make_company_relation,
    make_figure,
    make_jurisdiction,
    make_membership,
    make_organisation,
    make_person,
    make_policy,
    make_provision,
    make_source,
    make_stance,
    make_topic,
)

pytestmark = pytest.mark.django_db

TODAY = date(2026, 7, 1)


def find(about, on=TODAY, kind=None):
    [check] = [check for check in CHECKS if check.about == about and kind in (None, check.kind)]
    return list(check.find(on))


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: f"{check.kind}: {check.about}")
def test_each_check_is_one_query_and_finds_nothing_in_an_empty_base(check, django_assert_num_queries):
    with django_assert_num_queries(1):
        assert list(check.find(TODAY)) == []


def test_no_two_checks_of_a_kind_have_one_name():
    names = [(check.kind, check.about) for check in CHECKS]

    assert len(names) == len(set(names))


def test_doubts_and_gaps_are_no_faults():
    assert {check.kind for check in CHECKS if not check.is_fault} == {Kind.DOUBT, Kind.GAP}


# Evidence


def test_a_record_without_citation_is_found_and_one_with_is_not():
    uncited, cited = make_company(), make_company()
    make_citation(company=cited)
    make_citation(company=cited)

    assert find("companies", kind=Kind.UNCITED) == [uncited]


def test_a_publisher_needs_no_citation():
    make_organisation(kind="publisher")
    hub = make_organisation(kind="innovation_hub")

    assert find("organisations, publishers aside") == [hub]


def test_a_provision_rests_on_its_policy_s_citations():
    assert not [check for check in CHECKS if check.kind == Kind.UNCITED and check.about == "provisions"]


# References


def test_a_citation_of_a_field_that_there_is_not_is_found():
    make_citation(policy=make_policy(), fields=["title", "milestones"])
    wrong = make_citation(policy=make_policy(), fields=["titel"])

    assert find("citations of a field that there is not") == [wrong]


def test_a_theme_among_activities_is_found():
    theme, activity = make_topic(kind="theme"), make_topic(kind="activity")
    make_company().activities.add(activity)
    company, authorisation = make_company(), make_authorisation()
    company.activities.add(theme, activity)
    authorisation.activities.add(theme)

    assert find("companies with a theme as activity") == [company]
    assert find("authorisations with a theme as activity") == [authorisation]


def test_a_provision_below_another_policy_s_is_found():
    make_provision(parent=(parent := make_provision()), policy=parent.policy)
    strayed = make_provision(parent=parent)

    assert find("provisions below another policy's") == [strayed]


def test_provisions_in_a_circle_are_found():
    policy = make_policy()
    first = make_provision(policy=policy)
    second = make_provision(policy=policy, parent=first)
    type(first).objects.filter(pk=first.pk).update(parent=second)
    make_provision(policy=policy)

    assert {part.pk for part in find("provisions in a circle")} == {first.pk, second.pk}


def test_places_in_a_circle_are_found():
    inner = make_jurisdiction(parent=(outer := make_jurisdiction()))
    type(outer).objects.filter(pk=outer.pk).update(parent=inner)

    assert {place.pk for place in find("jurisdictions in a circle")} == {inner.pk, outer.pk}


# Spans


@pytest.mark.parametrize(
    ("start", "end", "overlaps"),
    [
        (date(2021, 1, 1), None, False),
        (date(2020, 12, 31), None, True),
        (None, date(2020, 1, 1), False),
        (None, date(2020, 1, 2), True),
        (None, None, True),
    ],
)
def test_two_spans_of_one_appointment_overlap_if_they_share_a_day(start, end, overlaps):
    person, company = make_person(), make_company()
    make_appointment(person=person, company=company, valid_from=date(2020, 1, 1), valid_until=date(2021, 1, 1))
    later = make_appointment(person=person, company=company, valid_from=start, valid_until=end)
    make_appointment(person=person, company=company, title="Founder")
    make_appointment(person=person)

    assert find("appointments", kind=Kind.OVERLAP) == ([later] if overlaps else [])


def test_overlapping_company_relations_are_found():
    parent, child = make_company(), make_company()
    make_company_relation(company=parent, target=child, kind="parent", valid_from=date(2020, 1, 1))
    later = make_company_relation(company=parent, target=child, kind="parent", valid_from=date(2021, 1, 1))
    make_company_relation(company=parent, target=child, kind="investor", valid_from=date(2021, 1, 1))

    assert find("company relations", kind=Kind.OVERLAP) == [later]


def test_overlapping_stances_would_be_found_although_the_database_forbids_them():
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE regulations_stance DROP CONSTRAINT stance_spans_apart")
    stance = make_stance(valid_from=date(2020, 1, 1))
    later = make_stance(jurisdiction=stance.jurisdiction, topic=stance.topic, valid_from=date(2021, 1, 1))

    assert find("stances", kind=Kind.OVERLAP) == [later]


# Coverage


def test_a_country_without_a_stance_is_a_gap_until_the_day_it_has_one():
    custody = make_topic(slug="custody")
    country = make_jurisdiction(kind="country")
    make_stance(jurisdiction=country, topic=custody, valid_from=date(2026, 7, 1))

    assert find("countries without a stance on custody", date(2026, 6, 30)) == [country]
    assert find("countries without a stance on custody", date(2026, 7, 1)) == []


def test_a_bloc_speaks_for_its_members_while_its_law_applies_there():
    custody = make_topic(slug="custody")
    bloc = make_jurisdiction(kind="supranational")
    make_stance(jurisdiction=bloc, topic=custody)
    leaver, outsider = make_jurisdiction(code="GB"), make_jurisdiction(code="HK")
    make_membership(member=leaver, bloc=bloc, valid_until=date(2021, 1, 1))
    make_membership(member=outsider, bloc=bloc, law_applies=False)

    assert find("countries without a stance on custody", date(2020, 12, 31)) == [outsider]
    assert find("countries without a stance on custody", date(2021, 1, 1)) == [leaver, outsider]


def test_subdivisions_and_blocs_are_not_asked_about():
    make_jurisdiction(kind="subdivision")
    make_jurisdiction(kind="supranational")

    assert find("countries without a stance on custody") == []


def test_a_source_on_which_nothing_rests_is_a_gap():
    idle = make_source()
    make_citation(source=make_source())
    make_figure(source=make_source())

    assert find("sources on which nothing rests") == [idle]


def test_laws_and_authorisations_without_a_start_are_gaps():
    law, authorisation = make_policy(kind="statute"), make_authorisation()
    make_policy(kind="roadmap")
    make_authorisation(granted_on=date(2024, 1, 1))

    assert find("laws without a known start") == [law]
    assert find("authorisations without a known start") == [authorisation]


def test_every_citable_kind_is_asked_about():
    asked = {check.about for check in CHECKS if check.kind == Kind.UNCITED}

    assert len(asked) == len(checks.CITABLE) - len(checks.CITED_WITH_THEIR_POLICY)
