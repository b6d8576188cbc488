"""What was researched and what was not, and on what the records rest."""

from datetime import date

import pytest

from regulations.api.coverage import STATES
from regulations.models import Citation, Jurisdiction, Stance, Topic
from tests.api.asking import ask, refusal
from tests.api.test_queries import statements
from tests.factories import (
    make_citation,
    make_jurisdiction,
    make_membership,
    make_milestone,
    make_policy,
    make_source,
    make_stance,
    make_topic,
)


def row(client, place, **sent):
    [found] = ask(client, "coverage/", jurisdiction=place.code, **sent)["results"]
    return found


def records(client, place):
    return {each["collection"]: each for each in row(client, place)["records"]}


def test_each_topic_of_each_place_stands_in_one_list(knowledge, client):
    answer = ask(client, "coverage/", on="2026-01-01")

    topics = sorted(Topic.objects.values_list("slug", flat=True))
    assert [each["jurisdiction"]["code"] for each in answer["results"]] == list(
        Jurisdiction.objects.order_by("code").values_list("code", flat=True)
    )
    for each in answer["results"]:
        assert sorted(slug for state in STATES for slug in each["topics"][state]) == topics
    assert answer["counts"] == {
        state: sum(len(each["topics"][state]) for each in answer["results"]) for state in STATES
    }


def test_coverage_is_what_the_matrix_shows(knowledge, client):
    answer = ask(client, "coverage/", on="2026-01-01", jurisdiction="DE,GB,HK,US-NY")
    shown = ask(client, "matrix/", on="2026-01-01", jurisdiction="DE,GB,HK,US-NY")

    for told, seen in zip(answer["results"], shown["rows"], strict=True):
        for cell in seen["cells"]:
            known = cell["stance"] and ("established" if cell["stance"]["is_own"] else "established_by_bloc")
            assert cell["topic"] in told["topics"][known or "not_researched"]


def test_counts_are_those_of_the_lists(knowledge, client):
    for place in ("DE", "HK", "US", "EU", "LI"):
        [found] = ask(client, "coverage/", jurisdiction=place)["results"]

        for each in found["records"]:
            assert client.get(each["url"]).json()["count"] == each["count"], each["url"]


def test_topic_is_not_researched_again_once_its_stance_is_gone(db, client):
    stance = make_stance(stance="not_established")

    assert row(client, stance.jurisdiction)["topics"]["not_established"] == [stance.topic.slug]
    Stance.objects.all().delete()
    assert row(client, stance.jurisdiction)["topics"]["not_researched"] == [stance.topic.slug]


def test_stance_of_a_bloc_is_told_apart(db, client):
    stance = make_stance(jurisdiction=make_jurisdiction(kind="supranational"))
    member = make_membership(bloc=stance.jurisdiction).member

    assert row(client, member)["topics"]["established_by_bloc"] == [stance.topic.slug]
    assert row(client, stance.jurisdiction)["topics"]["established"] == [stance.topic.slug]


def test_share_counts_records_once_however_often_they_are_cited(db, client):
    place = make_jurisdiction()
    cited, _, _ = (make_policy(jurisdiction=place) for _ in range(3))
    for _ in range(4):
        make_citation(policy=cited)

    found = records(client, place)

    assert (found["policies"]["count"], found["policies"]["cited_count"]) == (3, 1)
    assert found["policies"]["cited_share"] == 0.3333
    assert found["stances"] == {**found["stances"], "count": 0, "cited_count": 0, "cited_share": None}


def test_newest_reading_and_newest_source_are_told(db, client):
    step = make_milestone()
    make_citation(milestone=step, read_on=date(2026, 1, 5), source=make_source(published_on=date(2020, 1, 1)))
    make_citation(milestone=step, read_on=date(2025, 1, 5), source=make_source(published_on=date(2024, 1, 1)))
    make_citation(milestone=step)

    found = records(client, step.policy.jurisdiction)["milestones"]

    assert (found["last_read_on"], found["newest_source_on"]) == ("2026-01-05", "2024-01-01")
    Citation.objects.all().delete()
    assert records(client, step.policy.jurisdiction)["milestones"]["last_read_on"] is None


def test_topics_can_be_chosen(db, client):
    stance, other = make_stance(), make_topic()

    assert row(client, stance.jurisdiction, topic=other.slug)["topics"]["not_researched"] == [other.slug]
    assert row(client, stance.jurisdiction, topic=other.slug)["topics"]["established"] == []


@pytest.mark.parametrize("sent", [{"jurisdiction": "HG"}, {"topic": "custodi"}, {"place": "HK"}])
def test_question_that_could_be_misread_is_refused(knowledge, client, sent):
    [fault] = refusal(client, "coverage/", **sent)

    assert (fault["parameter"], fault["code"]) == (next(iter(sent)), "unknown")


def test_answer_is_as_described(knowledge, client, faults_of):
    assert faults_of("/api/v1/coverage/", client.get("/api/v1/coverage/")) == []


def test_coverage_costs_as_many_queries_with_many_records_as_with_few(db, client):
    make_stance()
    with statements() as few:
        ask(client, "coverage/")
    for _ in range(20):
        make_citation(stance=make_stance())

    with statements() as many:
        ask(client, "coverage/")

    # 1. SELECT the versions of the tables, and again at the end. 2. the places. 3. the topics. 4. the memberships. 5. the
    # stances. 6. the numbers of all collections.
    assert len(few) == len(many) == 7
