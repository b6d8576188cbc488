"""Groups: one related record meets all conditions. What each finds is compared with Python in test_filters."""

from datetime import date

import pytest

from kbase.reading.groups import Group
from regulations.api.companies import CompanyFilter
from regulations.api.urls import RESOURCES
from tests.api.asking import ask, keys, refusal
from tests.api.test_queries import LIST, NOTHING, queries, statements
from tests.factories import (
    make_appointment,
    make_authorisation,
    make_company,
    make_company_relation,
    make_enforcement_action,
    make_jurisdiction,
    make_milestone,
    make_person,
    make_policy,
    make_policy_regulator,
    make_regulator,
    make_stance,
    make_topic,
)

GROUPS = [
    pytest.param(resource, name, id=f"{resource.collection}-{name}")
    for resource in RESOURCES
    for name, declared in resource.filterset_class.declared_filters.items()
    if isinstance(declared, Group)
]
every_group = pytest.mark.parametrize(("resource", "name"), GROUPS)


def test_conditions_are_met_by_one_record_and_not_by_two(db, client):
    sfc, bafin = make_regulator(slug="hk-sfc"), make_regulator(slug="de-bafin")
    both, one = make_company(slug="both"), make_company(slug="one")
    make_authorisation(company=both, regulator=sfc, granted_on=date(2020, 1, 1), ended_on=date(2021, 1, 1))
    make_authorisation(company=both, regulator=bafin, granted_on=date(2020, 1, 1))
    make_authorisation(company=one, regulator=sfc, granted_on=date(2020, 1, 1))

    asked = {"on": "2024-01-01", "authorisation": "regulator:hk-sfc,status:active"}
    assert keys(client, "companies/", **asked) == ["one"]
    assert keys(client, "companies/", on="2020-06-01", authorisation="regulator:hk-sfc,status:active") == [
        "both",
        "one",
    ]
    assert keys(client, "companies/", on="2024-01-01", authorisation__not="regulator:hk-sfc,status:active") == ["both"]


def test_record_without_related_records_meets_no_group_and_every_not(db, client):
    make_company(slug="new")

    assert keys(client, "companies/", authorisation="status:active|ended|applied|not_yet|not_established") == []
    assert keys(client, "companies/", authorisation__not="status:active") == ["new"]
    assert keys(client, "companies/", authorisation__count="0") == ["new"]


def test_alternatives_are_met_by_any(db, client):
    for slug, kind in (("a", "licence"), ("b", "registration"), ("c", "exemption")):
        make_authorisation(company=make_company(slug=slug), kind=kind)

    assert keys(client, "companies/", authorisation="kind:licence|registration") == ["a", "b"]
    assert keys(client, "companies/", authorisation="kind__not:licence|registration") == ["c"]


def test_policy_of_a_regulator_in_a_role(db, client):
    policy, esma, eba = make_policy(slug="mica"), make_regulator(slug="esma"), make_regulator(slug="eba")
    make_policy_regulator(policy=policy, regulator=esma, role="issuer")
    make_policy_regulator(policy=policy, regulator=esma, role="enforcer")
    make_policy_regulator(policy=policy, regulator=eba, role="supervisor")

    assert keys(client, "policies/", regulator_role="regulator:esma,role:issuer|enforcer") == ["mica"]
    assert keys(client, "policies/", regulator_role="regulator:esma,role:supervisor") == []
    assert keys(client, "policies/", regulator_role__count="3") == ["mica"]


def test_policy_by_a_step_of_a_kind_at_a_time(db, client):
    policy = make_policy(slug="mica")
    make_milestone(policy=policy, kind="adopted", date=date(2023, 5, 31))
    make_milestone(policy=policy, kind="applies", date=date(2024, 12, 30))

    assert keys(client, "policies/", milestone="kind:applies,date__gte:2024-12-30") == ["mica"]
    assert keys(client, "policies/", milestone="kind:adopted,date__gte:2024-12-30") == []


def test_company_by_its_relation_in_either_direction(db, client):
    parent, child = make_company(slug="parent"), make_company(slug="child")
    make_company_relation(company=parent, kind="parent", target=child)

    assert keys(client, "companies/", relation="kind:parent,target:child") == ["parent"]
    assert keys(client, "companies/", inverse_relation="kind:parent,company:parent") == ["child"]
    assert "company" not in CompanyFilter.base_filters["relation"].group.conditions


def test_company_by_an_act_against_it_and_others(db, client):
    first, second = make_company(slug="first"), make_company(slug="second")
    make_enforcement_action(kind="fine").companies.set([first, second])
    make_enforcement_action(kind="warning").companies.set([first])

    assert keys(client, "companies/", enforcement_action="kind:fine,company__all:first|second") == ["first", "second"]
    assert keys(client, "companies/", enforcement_action__count__gte="2") == ["first"]


@pytest.mark.parametrize(
    ("day", "found"),
    [("2024-01-31", []), ("2024-02-01", ["HK"]), ("2024-02-29", ["HK"]), ("2024-03-01", []), (None, ["HK"])],
)
def test_stance_of_a_group_holds_on_the_day_if_one_is_asked_about(db, client, day, found):
    make_stance(
        jurisdiction=make_jurisdiction(code="HK"),
        topic=make_topic(slug="staking"),
        stance="permitted",
        valid_from=date(2024, 2, 1),
        valid_until=date(2024, 3, 1),
    )
    on = {"on": day} if day else {}

    assert keys(client, "jurisdictions/", "code", stance="topic:staking,stance:permitted", **on) == found
    assert keys(client, "jurisdictions/", "code", stance__count="1", **on) == found


def test_person_by_an_office_held_on_the_day(db, client):
    make_appointment(
        person=make_person(slug="julia"), regulator=make_regulator(slug="hk-sfc"), valid_from=date(2023, 1, 1)
    )

    assert keys(client, "people/", appointment="regulator:hk-sfc", on="2023-01-01") == ["julia"]
    assert keys(client, "people/", appointment="regulator:hk-sfc", on="2022-12-31") == []


def test_group_and_facet_stand_together(db, client):
    make_authorisation(company=make_company(headquarters=make_jurisdiction(code="HK")), kind="licence")
    make_company(headquarters=make_jurisdiction(code="SG"))

    [facet] = ask(client, "companies/", authorisation="kind:licence", facets="headquarters")["facets"].values()

    assert [(each["value"], each["count"]) for each in facet] == [("HK", 1)]


# What is refused


def test_unknown_names_and_values_of_conditions_are_told_with_what_is_possible(db, client):
    make_regulator(slug="hk-sfc")

    told = refusal(client, "companies/", authorisation="regulater:hk-sfc,status:activ,regulator:hk-sfd,granted_on:soon")

    assert {fault["parameter"] for fault in told} == {"authorisation"}
    assert [fault.get("nearest") for fault in told if fault["code"] == "unknown"] == ["regulator", "hk-sfc", "active"]
    assert "status" in told[0]["allowed"]
    assert [fault["code"] for fault in told if "granted_on" in fault["detail"]] == ["malformed"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("x", "malformed"),
        ("status", "malformed"),
        ("status:", "malformed"),
        (":active", "malformed"),
        ("status:active,", "malformed"),
        (",status:active", "malformed"),
        ("status:active|", "malformed"),
        ("status:active||ended", "malformed"),
        ("status:active|active", "repeated"),
        ("status:active,status:ended", "repeated"),
        ("status :active", "unknown"),
        ("company:kucoin", "unknown"),
        ("on:2024-01-01", "unknown"),
        ("status:active,status__not:active", "contradictory"),
        ("granted_on__gte:2025-01-01,granted_on__lt:2025-01-01", "contradictory"),
        ("granted_on__isnull:true,granted_on:2025-01-01", "contradictory"),
        ("granted_on:2025-01-01|2025-01-02", "malformed"),
        ("kind:" + "|".join(map(str, range(61))), "out_of_range"),
    ],
)
def test_odd_group_is_refused(db, client, text, code):
    for name in ("authorisation", "authorisation__not"):
        [fault] = refusal(client, "companies/", **{name: text})
        assert (fault["parameter"], fault["code"]) == (name, code)


@pytest.mark.parametrize("text", ["-1", "1.5", "a", "1,2", "10000000000", "true"])
def test_odd_count_is_refused(db, client, text):
    for suffix in ("", "__gte", "__lte"):
        [fault] = refusal(client, "companies/", **{f"authorisation__count{suffix}": text})
        assert fault["parameter"] == f"authorisation__count{suffix}"


def test_groups_and_counts_that_exclude_each_other_are_refused(db, client):
    excluded = {"authorisation": "status:active,kind:licence", "authorisation__not": "kind:licence"}
    [fault] = refusal(client, "companies/", **excluded)
    assert (fault["parameter"], fault["code"]) == ("authorisation__not", "contradictory")
    [fault] = refusal(client, "companies/", authorisation__count__gte="3", authorisation__count__lte="2")
    assert (fault["parameter"], fault["code"]) == ("authorisation__count", "contradictory")
    possible = {"authorisation": "kind:licence", "authorisation__not": "status:active,kind:licence"}
    assert keys(client, "companies/", **possible, authorisation__count__gte="1", authorisation__count__lte="1") == []


# What it costs


# For each group a condition that names no other record.
PLAIN = {
    "authorisation": "kind:licence",
    "enforcement_action": "penalty_amount__gt:100",
    "relation": "kind:parent",
    "inverse_relation": "valid_from__isnull:true",
    "regulator_role": "role:issuer",
    "milestone": "is_past:true",
    "stance": "stance:permitted",
    "appointment": "title__contains:chair",
}


@every_group
def test_group_costs_no_statement_of_its_own_and_sorts_out_no_doubles(world_of, client, resource, name):
    world_of(5, size=3)

    for parameter, text in ((name, PLAIN[name]), (f"{name}__not", PLAIN[name]), (f"{name}__count__gte", "1")):
        run = queries(client, f"{resource.collection}/", **{parameter: text})
        count = ask(client, f"{resource.collection}/", **{parameter: text})["count"]
        assert len(run) == (LIST if count else NOTHING)
        assert not any("DISTINCT" in sql for sql in run)


def test_groups_of_the_same_names_are_compiled_once(db, client):
    for slug in ("hk-sfc", "de-bafin"):
        make_regulator(slug=slug)

    run = []
    for slug, day, count in (("hk-sfc", "2024-01-01", 1), ("de-bafin", "2025-01-01", 2)):
        with statements() as each:
            asked = {"authorisation": f"regulator:{slug},granted_on__gte:{day}", "authorisation__count__gte": count}
            ask(client, "companies/", **asked)
        run.append(each)

    assert run[0] == run[1]
