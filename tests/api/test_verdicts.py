"""May they do that there: verdicts checked by hand, and chains in which every link is needed and none is missing."""

from datetime import date, timedelta
from pathlib import Path

import pytest
import yaml
from django.db import transaction

from regulations.models import (
    Authorisation,
    Company,
    EnforcementAction,
    Jurisdiction,
    Membership,
    Milestone,
    Stance,
    Topic,
)
from regulations.models.verdicts import Case, Part, Reason, Verdict, judge
from tests.api.asking import ask, refusal
from tests.api.test_queries import statements
from tests.factories import (
    make_authorisation,
    make_citation,
    make_company,
    make_enforcement_action,
    make_jurisdiction,
    make_membership,
    make_milestone,
    make_policy,
    make_stance,
    make_topic,
)

CASES = yaml.safe_load((Path(__file__).parent / "verdicts.yaml").read_text())
every_case = pytest.mark.parametrize("told", CASES, ids=lambda told: "-".join(str(part) for part in told[:4] if part))
ON = date(2025, 1, 1)
DAY = timedelta(days=1)


def parameters(told):
    place, activity, company, on = told[:4]
    return {"jurisdiction": place, "activity": activity, "on": on, **({"company": company} if company else {})}


def case_of(told):
    place, activity, company, on = told[:4]
    return Case(
        Jurisdiction.objects.get(code=place),
        Topic.objects.get(slug=activity),
        Company.objects.get(slug=company) if company else None,
        on,
    )


def said(case):
    finding = judge(case)
    return finding.verdict, finding.reason, finding.sentence


def of_part(finding, part):
    return [step.record.pk for step in finding.chain if step.part == part]


@every_case
def test_verdict_is_the_one_that_was_found_by_hand(knowledge, client, told):
    answer = ask(client, "check/", **parameters(told))

    assert (answer["verdict"]["code"], answer["reason"]["code"]) == (told[4], told[5]), answer["reason"]["sentence"]


@every_case
def test_chain_without_any_of_its_links_decides_otherwise(knowledge, told):
    case = case_of(told)
    whole = judge(case)

    for step in whole.chain:
        with transaction.atomic():
            take_out(step)
            assert said(case) != (whole.verdict, whole.reason, whole.sentence), step
            transaction.set_rollback(True)


@every_case
def test_chain_decides_alone_what_all_records_decide(knowledge, told):
    case = case_of(told)
    whole = judge(case)

    Membership.objects.exclude(pk__in=of_part(whole, Part.REACH)).delete()
    Stance.objects.filter(topic=case.activity).exclude(pk__in=of_part(whole, Part.STANCE)).delete()
    Authorisation.objects.filter(company=case.company).exclude(pk__in=of_part(whole, Part.AUTHORISATION)).delete()
    EnforcementAction.objects.filter(companies=case.company).exclude(pk__in=of_part(whole, Part.ORDER)).delete()
    regimes = Milestone.objects.filter(policy__authorisations__company=case.company)
    Milestone.objects.filter(pk__in=regimes).exclude(policy__in=of_part(whole, Part.REGIME)).delete()

    assert said(case) == (whole.verdict, whole.reason, whole.sentence)


def take_out(step):
    """A regime is taken out by its life; the other records by themselves."""
    if step.part == Part.REGIME:
        Milestone.objects.filter(policy=step.record).delete()
    else:
        type(step.record).objects.get(pk=step.record.pk).delete()


def test_every_link_of_every_chain_is_cited(knowledge, client):
    for told in CASES:
        answer = ask(client, "check/", **parameters(told))

        assert all(step["citations"] for step in answer["chain"]), told
        assert all(step["record"]["url"].startswith("http") for step in answer["chain"])
        assert (answer["verdict"]["code"] == "not_researched") == (answer["chain"] == [])


def test_addresses_of_the_chain_lead_to_its_records(knowledge, client):
    answer = ask(client, "check/", jurisdiction="FR", activity="custody", company="kucoin-eu", on="2026-02-19")

    assert [step["decided"]["code"] for step in answer["chain"]] == [
        "reach",
        "stance",
        "reach",
        "authorisation",
        "regime",
        "order",
    ]
    assert all(client.get(step["record"]["url"]).status_code == 200 for step in answer["chain"])


def test_cases_are_many_and_reach_every_verdict_and_every_reason_of_the_knowledge():
    unseen = {Reason.VALID_BY_PASSPORT, Reason.REGISTRATION_INSTEAD, Reason.APPLIED_ONLY, Reason.BANNED}

    assert len(CASES) >= 40
    assert {told[4] for told in CASES} == set(Verdict.values)
    assert {told[5] for told in CASES} == set(Reason.values) - {reason.value for reason in unseen}


# Rules that the knowledge has no case for


def a_case(**facts):
    facts = {"place": make_jurisdiction(), "activity": make_topic(), "company": make_company(), "on": ON, **facts}
    return Case(**facts)


def licence_required(case, **facts):
    return make_stance(jurisdiction=case.place, topic=case.activity, stance="licence_required", **facts)


def holds(case, *, activities=None, **facts):
    facts = {"company": case.company, "jurisdiction": case.place, "granted_on": ON, **facts}
    held = make_authorisation(**facts)
    held.activities.set([case.activity] if activities is None else activities)
    return held


def verdict(case):
    finding = judge(case)
    return finding.verdict, finding.reason


def in_bloc(*places, **facts):
    bloc = make_jurisdiction(kind="supranational")
    for place in places:
        make_membership(member=place, bloc=bloc, **facts)
    return bloc


def a_regulation(bloc):
    regime = make_policy(jurisdiction=bloc, kind="regulation")
    make_milestone(policy=regime, kind="applies", date=date(2020, 1, 1))
    return regime


@pytest.mark.parametrize(
    ("on", "expected"),
    [
        (date(2020, 12, 30), Verdict.PERMITTED_BY_PASSPORT),
        (date(2020, 12, 31), Verdict.PERMITTED_BY_PASSPORT),
        (date(2021, 1, 1), Verdict.NOT_PERMITTED),
        (date(2021, 1, 2), Verdict.NOT_PERMITTED),
    ],
)
def test_passport_ends_on_the_day_on_which_the_place_leaves_the_bloc(db, on, expected):
    case, home = a_case(on=on), make_jurisdiction()
    bloc = in_bloc(home)
    make_membership(member=case.place, bloc=bloc, valid_until=date(2021, 1, 1))
    licence_required(case)
    holds(case, jurisdiction=home, policy=a_regulation(bloc), granted_on=date(2020, 6, 1))

    assert judge(case).verdict == expected


def test_directive_of_a_bloc_carries_no_passport(db):
    case, home = a_case(), make_jurisdiction()
    bloc = in_bloc(home, case.place)
    statute = make_policy(jurisdiction=bloc, kind="statute")
    make_milestone(policy=statute, kind="applies", date=date(2020, 1, 1))
    licence_required(case)
    holds(case, jurisdiction=home, policy=statute)

    assert verdict(case) == (Verdict.NOT_ESTABLISHED, Reason.PASSPORT_NOT_ESTABLISHED)


def test_membership_without_law_carries_no_passport(db):
    case, home = a_case(), make_jurisdiction()
    bloc = in_bloc(home)
    make_membership(member=case.place, bloc=bloc, law_applies=False)
    licence_required(case)
    holds(case, jurisdiction=home, policy=a_regulation(bloc))

    assert verdict(case) == (Verdict.NOT_PERMITTED, Reason.NO_AUTHORISATION)


def test_permission_that_names_the_place_is_a_passport(db):
    case = a_case()
    licence_required(case)
    holds(case, jurisdiction=make_jurisdiction()).valid_in.add(case.place)

    assert verdict(case) == (Verdict.PERMITTED_BY_PASSPORT, Reason.VALID_BY_PASSPORT)


def test_registration_may_not_be_the_licence_that_is_asked_for(db):
    case = a_case()
    licence_required(case)
    holds(case, kind="registration")

    assert verdict(case) == (Verdict.NOT_ESTABLISHED, Reason.REGISTRATION_INSTEAD)


def test_licence_is_more_than_the_registration_that_is_asked_for(db):
    case = a_case()
    make_stance(jurisdiction=case.place, topic=case.activity, stance="registration_required")
    holds(case)

    assert verdict(case) == (Verdict.PERMITTED, Reason.HELD)


def test_application_is_no_permission(db):
    case = a_case()
    licence_required(case)
    holds(case, granted_on=None, applied_on=ON)

    assert verdict(case) == (Verdict.NOT_PERMITTED, Reason.APPLIED_ONLY)


@pytest.mark.parametrize(
    ("on", "expected"),
    [
        (ON - DAY, (Verdict.PERMITTED, Reason.HELD)),
        (ON, (Verdict.NOT_PERMITTED, Reason.BANNED)),
        (ON + 9 * DAY, (Verdict.NOT_PERMITTED, Reason.BANNED)),
        (ON + 10 * DAY, (Verdict.PERMITTED, Reason.HELD)),
    ],
)
def test_ban_holds_from_its_announcement_until_it_is_concluded(db, on, expected):
    case = a_case(on=on)
    licence_required(case)
    holds(case, granted_on=ON - 30 * DAY)
    ban = make_enforcement_action(
        kind="ban", jurisdiction=case.place, announced_on=ON, concluded_on=ON + timedelta(days=10)
    )
    ban.companies.add(case.company)

    assert verdict(case) == expected


def test_ban_counts_where_no_permission_is_needed(db):
    case = a_case()
    make_stance(jurisdiction=case.place, topic=case.activity, stance="unregulated")
    make_enforcement_action(kind="ban", jurisdiction=case.place, announced_on=ON).companies.add(case.company)

    assert verdict(case) == (Verdict.NOT_PERMITTED, Reason.BANNED)


@pytest.mark.parametrize("facts", [{"kind": "warning"}, {"jurisdiction": None}, {"announced_on": None}])
def test_warning_and_ban_elsewhere_and_undated_ban_decide_nothing(db, facts):
    case = a_case()
    make_stance(jurisdiction=case.place, topic=case.activity, stance="permitted")
    facts = {"kind": "ban", "jurisdiction": case.place, "announced_on": ON, **facts}
    facts["jurisdiction"] = facts["jurisdiction"] or make_jurisdiction()
    make_enforcement_action(**facts).companies.add(case.company)

    assert verdict(case) == (Verdict.PERMITTED, Reason.STANCE)


def test_prohibition_by_a_bloc_stands_above_the_law_of_its_member(db):
    case = a_case(company=None)
    bloc = in_bloc(case.place)
    make_stance(jurisdiction=case.place, topic=case.activity, stance="permitted")
    make_stance(jurisdiction=bloc, topic=case.activity, stance="prohibited")

    assert verdict(case) == (Verdict.PROHIBITED, Reason.STANCE)


@pytest.mark.parametrize("own", ["proposed", "not_established"])
def test_law_that_is_not_settled_leaves_that_of_the_bloc_in_force(db, own):
    case = a_case(company=None)
    bloc = in_bloc(case.place)
    make_stance(jurisdiction=case.place, topic=case.activity, stance=own)
    assert judge(case).verdict == Verdict.NOT_ESTABLISHED
    make_stance(jurisdiction=bloc, topic=case.activity, stance="restricted")

    finding = judge(case)

    assert finding.verdict == Verdict.RESTRICTED
    assert [stance.stance for stance in finding.beside] == [own]


def test_law_of_a_bloc_reaches_a_part_of_its_member(db):
    case = a_case(company=None)
    country = make_jurisdiction()
    make_membership(member=case.place, bloc=country)
    bloc = in_bloc(country)
    make_stance(jurisdiction=bloc, topic=case.activity, stance="restricted")

    finding = judge(case)

    assert [step.part for step in finding.chain] == [Part.REACH, Part.REACH, Part.STANCE]


# The answer


def test_answers_are_as_described(knowledge, client, faults_of):
    for told in CASES[::9]:
        answer = client.get("/api/v1/check/", parameters(told))

        assert faults_of("/api/v1/check/", answer) == []


def test_theme_is_refused_as_activity(knowledge, client):
    [fault] = refusal(client, "check/", jurisdiction="HK", activity="taxation")

    assert (fault["parameter"], fault["code"]) == ("activity", "out_of_range")
    assert "custody" in fault["allowed"]


@pytest.mark.parametrize(
    ("sent", "parameter", "code"),
    [
        ({"activity": "custody"}, "jurisdiction", "empty"),
        ({"jurisdiction": "HK"}, "activity", "empty"),
        ({"jurisdiction": "HG", "activity": "custody"}, "jurisdiction", "unknown"),
        ({"jurisdiction": "HK,SG", "activity": "custody"}, "jurisdiction", "malformed"),
        ({"jurisdiction": "HK", "activity": "custody", "company": "kucoim"}, "company", "unknown"),
        ({"jurisdiction": "HK", "activity": "custody", "firm": "kucoin"}, "firm", "unknown"),
        ({"jurisdiction": "HK", "activity": "custody", "on": "2025"}, "on", "malformed"),
    ],
)
def test_question_that_could_be_misread_is_refused(knowledge, client, sent, parameter, code):
    [fault] = refusal(client, "check/", **sent)

    assert (fault["parameter"], fault["code"]) == (parameter, code)


def test_verdict_costs_as_many_queries_with_many_records_as_with_few(db, client):
    case = a_case()
    stance = licence_required(case)
    make_citation(stance=stance)
    holds(case)
    sent = {"jurisdiction": case.place.code, "activity": case.activity.slug, "company": case.company.slug, "on": ON}
    ask(client, "check/", **sent)
    with statements() as few:
        ask(client, "check/", **sent)
    for _ in range(10):
        make_citation(stance=stance)
        holds(case, jurisdiction=make_membership(bloc=in_bloc(case.place)).member)

    with statements() as many:
        ask(client, "check/", **sent)

    # 1. SELECT the versions of the tables, and again at the end. 2. to 4. the ids of the keys. 5. to 7. the three records. 8. the
    # authorisations. 9. the memberships. 10. and 11. the stances and their policies. 12. the orders. 13. the citations.
    assert len(few) == len(many) == 14
