"""The history of a record: what we said before, field by field."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from regulations.api.urls import RESOURCES
from regulations.models import Change, change
from tests.api.asking import ask, get, problem, refusal
from tests.api.test_past_keys import make
from tests.factories import make_citation, make_jurisdiction, make_milestone, make_policy, make_source, make_topic


def history(client, path, **parameters):
    return ask(client, f"{path}/history/", **parameters)["results"]


def fields_of(row):
    return {
        field["name"]: (field["before"] and field["before"]["label"], field["after"] and field["after"]["label"])
        for field in row["fields"]
    }


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource.collection)
def test_every_record_has_a_history_that_begins_with_its_making(committed, client, resource):
    row = make(resource.queryset.model)

    told = ask(client, f"{resource.collection}/{getattr(row, resource.key)}/history/")

    first = told["results"][-1]["rows"][0]
    assert (told["is_gone"], first["action"]["code"]) == (False, "added")
    assert first["key"] == getattr(row, resource.key)
    assert first["fields"]


def test_a_change_says_when_of_what_kind_and_why_and_each_field_before_and_after(committed, client):
    policy = make_policy(slug="law", title="Old", jurisdiction=make_jurisdiction(code="HK", name="Hong Kong"))
    with change(actor="jane", kind=Change.Kind.CORRECTION, reason="The gazette says so"):
        policy.title, policy.kind = "New", "bill"
        policy.jurisdiction = make_jurisdiction(code="SG", name="Singapore")
        policy.save()

    newest, oldest = history(client, "policies/law")

    assert (newest["kind"], newest["reason"], oldest["reason"]) == (
        {"code": "correction", "label": "We corrected our record"},
        "The gazette says so",
        None,
    )
    assert newest["moment"] > oldest["moment"]
    [row] = newest["rows"]
    assert fields_of(row) == {
        "title": ("Old", "New"),
        "kind": ("Statute", "Bill"),
        "jurisdiction": ("Hong Kong", "Singapore"),
    }
    assert {field["name"]: field["before"]["value"] for field in row["fields"]} == {
        "title": "Old",
        "kind": "statute",
        "jurisdiction": "HK",
    }
    # Editors are no public persons.
    assert "jane" not in str(newest)


def test_what_belongs_to_a_record_is_in_its_history(committed, client):
    policy = make_policy(slug="law")
    policy.topics.add(make_topic(slug="custody", name="Custody"))
    step = make_milestone(policy=policy, kind="announced", date="2024-01-01", key="law-announced")
    make_citation(policy=policy, source=make_source(slug="gazette", title="Gazette"))
    step.date = "2024-02-01"
    step.save()
    policy.topics.clear()

    found = [row for each in reversed(history(client, "policies/law")) for row in each["rows"]]

    assert [(row["action"]["code"], row["key"]) for row in found if row["row"] == "milestone"] == [
        ("added", "law-announced"),
        ("changed", "law-announced"),
    ]
    assert [fields_of(row) for row in found if "topic" in row["row"]] == [
        {"topic": (None, "Custody")},
        {"topic": ("Custody", None)},
    ]
    assert any(fields_of(row).get("source") == (None, "Gazette") for row in found)
    # A policy's dates follow from its steps.
    assert [fields_of(row) for row in found if row["row"] == "policy"][-1] == {
        "introduced_on": ("2024-01-01", "2024-02-01")
    }


def test_the_history_of_another_record_is_not_in_it(committed, client):
    make_policy(slug="law")
    make_milestone(policy=make_policy(slug="other"))

    assert len(history(client, "policies/law")) == 1


def test_a_record_that_was_taken_out_keeps_its_history(committed, client):
    policy = make_policy(slug="law", title="The law")
    policy.slug = "law-of-2024"
    policy.save()
    policy.delete()

    told = ask(client, "policies/law-of-2024/history/")

    assert (told["is_gone"], told["count"]) == (True, 3)
    assert told["results"][0]["rows"][0]["action"]["code"] == "removed"
    assert ask(client, "policies/law/history/")["results"] == told["results"]
    gone = problem(get(client, "policies/law-of-2024/"), 410)
    assert client.get(gone["history"]).status_code == 200


def test_a_referred_record_that_was_taken_out_is_still_called_by_its_name(committed, client):
    policy, topic = make_policy(slug="law"), make_topic(name="Custody")
    policy.topics.add(topic)
    policy.topics.clear()
    topic.delete()

    newest = history(client, "policies/law")[0]

    assert fields_of(newest["rows"][0]) == {"topic": ("Custody", None)}


def test_the_history_at_a_moment_ends_there(committed, client):
    policy = make_policy(slug="law", title="Old")
    [made] = history(client, "policies/law")
    policy.title = "New"
    policy.save()

    told = ask(client, "policies/law/history/", known_at=made["moment"])

    assert (told["count"], told["results"]) == (1, [made])


def test_the_history_comes_in_pages(committed, client):
    policy = make_policy(slug="law")
    for number in range(5):
        policy.title = f"Title {number}"
        policy.save()

    first = ask(client, "policies/law/history/", page_size=4)
    second = client.get(first["next"]).json()

    assert (first["count"], len(first["results"]), len(second["results"]), second["next"]) == (6, 4, 2, None)
    assert [each["moment"] for each in first["results"] + second["results"]] == [
        each["moment"] for each in history(client, "policies/law")
    ]


def test_a_record_that_never_was_has_no_history(db, client):
    make_topic(slug="staking")

    assert problem(get(client, "topics/stakin/history/"), 404)["nearest"] == "staking"
    assert refusal(client, "topics/staking/history/", page=0)[0]["code"] == "out_of_range"


def test_a_longer_history_takes_no_more_queries(committed, client):
    policy = make_policy(slug="law")
    counts = []
    for times in (1, 10):
        for _ in range(times):
            policy.topics.set([make_topic()])
        with CaptureQueriesContext(connection) as queries:
            history(client, "policies/law", page_size=100)
        counts.append(len(queries))

    assert counts[0] == counts[1], counts
