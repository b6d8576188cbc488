"""A place in one call: each section is the beginning of a list that says the same."""

from datetime import date
from random import Random

import pytest
from django.db import connection

from kbase.reading import kept
from regulations.models import Jurisdiction
from tests.api.asking import ROOT, ask, get, problem, refusal
from tests.api.test_covering import nodes_of, run_of
from tests.api.test_queries import statements
from tests.api.worlds import World
from tests.factories import (
    make_authorisation,
    make_jurisdiction,
    make_membership,
    make_milestone,
    make_policy,
    make_stance,
)

ON = "2026-01-01"
PLACES = ["DE", "HK", "US-NY", "EU", "CN", "EEA", "GB", "INT"]


def profile(client, code, **sent):
    return ask(client, f"jurisdictions/{code}/profile/", **sent)


def parts(told):
    """All beginnings of lists in an answer."""
    if isinstance(told, dict):
        if told.keys() == {"count", "url", "results"}:
            yield told
        for each in told.values():
            yield from parts(each)


@pytest.mark.parametrize("code", PLACES)
def test_each_section_begins_the_list_at_its_address_and_says_its_count(knowledge, client, code):
    answer = profile(client, code, on=ON)

    sections = [part for part in parts(answer) if "/matrix/" not in part["url"]]
    assert len(sections) == 11
    for part in sections:
        whole = client.get(part["url"]).json()
        assert part["count"] == whole["count"]
        assert part["results"] == whole["results"][: len(part["results"])]
        assert len(part["results"]) == min(5, part["count"])


@pytest.mark.parametrize("code", PLACES)
def test_statuses_count_every_policy_once(knowledge, client, code):
    policies = profile(client, code, on=ON)["policies"]

    assert sum(each["count"] for each in policies["by_status"]) == policies["count"]
    assert policies["count"] == client.get(policies["url"]).json()["count"]
    for each in policies["by_status"]:
        assert client.get(each["url"]).json()["count"] == each["count"] > 0


@pytest.mark.parametrize("code", ["DE", "HK", "US-NY", "GB"])
def test_stances_and_gaps_are_those_of_the_matrix(knowledge, client, code):
    answer = profile(client, code, on=ON)

    [row] = client.get(answer["stances"]["url"]).json()["rows"]
    known = {cell["topic"]: cell["stance"] for cell in row["cells"] if cell["stance"]}
    assert {each["topic"]["slug"]: each["stance"] for each in answer["stances"]["results"]} == known
    assert answer["stances"]["count"] == len(known)
    assert not known.keys() & set(answer["gaps"]["topics"]["not_researched"])


def test_law_of_the_bloc_is_shown_apart_with_the_membership_that_brings_it(knowledge, client):
    answer = profile(client, "DE", on=ON)

    assert [each["bloc"]["code"] for each in answer["memberships"]] == ["EEA", "EU"]
    of_blocs = answer["policies"]["of_blocs_in_force"]
    whole = client.get(of_blocs["url"]).json()["results"]
    assert "eu-mica" in {policy["slug"] for policy in whole}
    assert all(policy["jurisdiction"]["code"] == "DE" for policy in answer["policies"]["in_force"]["results"])


def test_law_of_a_bloc_that_does_not_apply_is_not_shown(knowledge, client):
    answer = profile(client, "HK", on=ON)

    assert [(each["bloc"]["code"], each["law_applies"]) for each in answer["memberships"]] == [("CN", False)]
    assert answer["policies"]["of_blocs_in_force"]["count"] == 0


@pytest.mark.parametrize(("on", "blocs"), [("2020-12-31", ["EEA", "EU"]), ("2021-01-01", [])])
def test_memberships_are_those_of_the_day(knowledge, client, on, blocs):
    assert [each["bloc"]["code"] for each in profile(client, "GB", on=on)["memberships"]] == blocs


def test_steps_are_those_of_its_law_and_of_its_blocs_nearest_first(db, client):
    place = make_jurisdiction()
    bloc = make_membership(member=place).bloc
    past, recent, coming, later = (
        make_milestone(policy=make_policy(jurisdiction=law), date=date(year, 1, 1))
        for law, year in [(bloc, 2020), (place, 2024), (bloc, 2027), (place, 2030)]
    )
    make_milestone(date=date(2025, 1, 1))

    answer = profile(client, place.code, on=ON)

    assert [step["key"] for step in answer["recent_steps"]["results"]] == [recent.key, past.key]
    assert [step["key"] for step in answer["coming_steps"]["results"]] == [coming.key, later.key]


def test_company_with_two_permissions_counts_once(db, client):
    held = make_authorisation(granted_on=date(2020, 1, 1))
    make_authorisation(company=held.company, jurisdiction=held.jurisdiction, granted_on=date(2021, 1, 1))
    make_authorisation(jurisdiction=held.jurisdiction)

    answer = profile(client, held.jurisdiction.code, on=ON)

    assert answer["authorised_companies"]["count"] == 1
    assert answer["authorisations"]["count"] == 2
    assert answer["gaps"]["authorisations_without_start"]["count"] == 1


def test_what_rests_on_nothing_is_a_gap(db, client):
    stance = make_stance()

    gaps = profile(client, stance.jurisdiction.code)["gaps"]

    assert [(each["collection"], each["count"] - each["cited_count"]) for each in gaps["uncited"]] == [("stances", 1)]


def test_place_that_does_not_exist_is_missing_and_the_nearest_is_named(knowledge, client):
    missing = problem(get(client, "jurisdictions/HG/profile/"), 404)

    assert missing["nearest"]
    assert problem(get(client, "jurisdictions/H%00/profile/"), 404)


def test_unknown_parameter_is_refused(knowledge, client):
    [fault] = refusal(client, "jurisdictions/HK/profile/", onn="2025-01-01")

    assert (fault["parameter"], fault["nearest"]) == ("onn", "on")


def test_answers_are_as_described(knowledge, client, faults_of):
    for code in Jurisdiction.objects.values_list("code", flat=True)[::10]:
        answer = client.get(f"/api/v1/jurisdictions/{code}/profile/", {"on": ON})

        assert faults_of("/api/v1/jurisdictions/{key}/profile/", answer) == []


def test_profile_costs_as_many_queries_with_many_records_as_with_few(db, client):
    place, bloc = make_jurisdiction(), make_jurisdiction()
    make_membership(member=place, bloc=bloc)

    def fill():
        World(Random(5), size=10).fill()
        for law in (place, bloc) * 5:
            make_stance(jurisdiction=law)
            make_authorisation(jurisdiction=law, granted_on="2020-01-01")
            make_milestone(policy=make_policy(jurisdiction=law), kind="in_force", date="2020-01-01")

    fill()
    with statements() as few:
        profile(client, place.code, on=ON)
    fill()

    with statements() as many:
        profile(client, place.code, on=ON)

    # The versions of the tables, and again at the end; the place, itself and its memberships rendered; the topics, the
    # memberships and the stances of the cells: eight. The numbers of all collections.
    # The ids of the place, of its bloc, and of both; the statuses and the steps of each: seven.
    # Of the lists that are there the rows, and of those whose statuses and steps do not tell it, the count.
    assert len(few) == len(many) == 8 + 1 + 7 + 11


def test_what_is_counted_of_a_bloc_is_counted_once_for_all_its_members(committed, client, monkeypatch):
    monkeypatch.setattr(kept, "memory", kept.Memory(1024 * 1024))
    bloc, *members = (make_jurisdiction() for _ in range(3))
    for member in members:
        make_membership(member=member, bloc=bloc)
    make_milestone(policy=make_policy(jurisdiction=bloc), kind="in_force", date="2020-01-01")

    shown, runs = [], []
    for member in members:
        with statements() as run:
            shown.append(profile(client, member.code, on=ON)["policies"]["of_blocs_in_force"])
        runs.append(sum("AS tallies" in sql for sql in run))

    assert [(part["count"], len(part["results"])) for part in shown] == [(1, 1), (1, 1)]
    # The statuses of the first one's policies and of the bloc's; then of the second one's.
    assert runs == [2, 1]


@pytest.mark.parametrize(
    ("question", "index"),
    [
        ("policies/?jurisdiction=HK&kind=statute,regulation&effective_from__isnull=true", "policy_without_start"),
        ("authorisations/?jurisdiction=HK&status=active", "authorisation_newest_in_place"),
        ("authorisations/?jurisdiction=HK&status=not_established", "authorisation_newest_in_place"),
    ],
)
def test_an_index_alone_tells_what_is_counted(knowledge, client, question, index):
    sql, params = run_of(f"{ROOT}{question}", "count(*)")
    with connection.cursor() as cursor:
        # What is planned for an empty table is planned for nothing.
        cursor.execute("ANALYZE regulations_policy, regulations_authorisation")
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", params)
        [plan] = cursor.fetchone()[0]

    [found] = [node for node in nodes_of(plan["Plan"]) if "Index Name" in node]
    assert (found["Node Type"], found["Index Name"]) == ("Index Only Scan", index)
