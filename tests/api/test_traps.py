"""The fifteen traps that such APIs have fallen into, each with one test that ours does not.

What is one sentence here is looked at from all sides elsewhere: see the tests of the theme.
"""

import gzip
from datetime import date
from threading import Thread

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from regulations.api.urls import RESOURCES
from regulations.models import Company, Policy
from tests.api.asking import ask, get, keys, refusal, walk
from tests.conftest import connected_to
from tests.described import faults
from tests.factories import (
    make_authorisation,
    make_company,
    make_jurisdiction,
    make_milestone,
    make_policy,
    make_regulator,
    make_topic,
)


@pytest.mark.parametrize("wrong", [{"foo": "1"}, {"activ": "true"}, {"fields": "slug,nam"}, {"expand": "jurisdicton"}])
def test_1_what_is_not_understood_is_not_ignored(db, client, wrong):
    make_company()

    [name] = wrong
    assert refusal(client, "companies/", **wrong)[0]["parameter"] == name


@pytest.mark.parametrize("query", ["headquarters=", "lei__isnull=yes", "ordering=nope", "page_size=100000", "page=-1"])
def test_2_empty_and_malformed_values_are_not_ignored(db, client, query):
    assert client.get(f"/api/v1/companies/?{query}").status_code == 400


def test_2_a_value_given_twice_does_not_win_over_the_first(db, client):
    assert client.get("/api/v1/companies/?name=A&name=B").json()["errors"][0]["code"] == "repeated"


def test_3_a_row_is_not_repeated_for_each_related_one(db, client):
    company = make_company(slug="one")
    for _ in range(3):
        make_authorisation(company=company, granted_on=date(2024, 1, 1)).activities.set([make_topic(), make_topic()])

    found = ask(client, "companies/", authorisation="granted_on__gte:2024-01-01")

    assert (found["count"], [row["slug"] for row in found["results"]]) == (1, ["one"])


def test_4_conditions_on_one_relation_speak_of_one_record(db, client):
    sfc, mas = make_regulator(slug="sfc"), make_regulator(slug="mas")
    two = make_company(slug="two-licences")
    make_authorisation(company=two, regulator=sfc, granted_on=date(2020, 1, 1), ended_on=date(2021, 1, 1))
    make_authorisation(company=two, regulator=mas, granted_on=date(2020, 1, 1))
    make_authorisation(company=make_company(slug="one-licence"), regulator=sfc, granted_on=date(2020, 1, 1))

    assert keys(client, "companies/", authorisation="regulator:sfc,status:active") == ["one-licence"]


def test_5_ties_in_the_order_neither_hide_nor_repeat_rows(db, client):
    for _ in range(30):
        make_policy(kind="statute")

    pages = [ask(client, "policies/", ordering="kind", page_size=7, page=page)["results"] for page in range(1, 6)]

    assert len({row["slug"] for page in pages for row in page}) == sum(map(len, pages)) == 30


@pytest.mark.parametrize("ordering", ["founded_on", "-founded_on", "legal_name", "-headquarters"])
def test_6_a_cursor_passes_over_missing_values_and_ties(db, client, ordering):
    for number in range(20):
        make_company(founded_on=[None, date(2020, 1, 1), date(2021, 1, 1)][number % 3])

    walked = [
        row["slug"]
        for page in walk(client, "companies/", cursor="*", ordering=ordering, page_size=3)
        for row in page["results"]
    ]

    assert len(walked) == len(set(walked)) == 20


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource.collection)
def test_7_a_total_is_how_many_rows_there_are_to_walk(knowledge, client, resource):
    total = ask(client, f"{resource.collection}/", page_size=1)["count"]

    pages = walk(client, f"{resource.collection}/", cursor="*", page_size=200, fields=resource.key)

    assert sum(len(page["results"]) for page in pages) == total


def test_8_neither_count_nor_page_sorts_out_doubles(db, client):
    with CaptureQueriesContext(connection) as queries:
        ask(client, "companies/", activity="custody" if make_topic(slug="custody") else "", facets="activity")

    assert not any("DISTINCT" in query["sql"].upper() for query in queries)


@pytest.mark.parametrize("expand", ["headquarters", "activities,headquarters.parent"])
def test_9_more_rows_take_no_more_queries(db, client, expand):
    counts = []
    for size in (2, 50):
        for _ in range(size):
            make_company(headquarters=make_jurisdiction()).activities.add(make_topic())
        with CaptureQueriesContext(connection) as queries:
            ask(client, "companies/", expand=expand, page_size=200)
        counts.append(len(queries))

    assert counts[0] == counts[1]


def test_10_a_day_is_a_day_and_a_moment_has_a_zone(db, client):
    step = make_milestone(kind="repealed", date=date(2024, 12, 30))
    make_milestone(policy=step.policy, kind="applies", date=date(2019, 5, 23))

    assert keys(client, "milestones/", "key", date__lte="2024-12-30", kind="repealed") == [step.key]
    # The last day in force is the day before the one on which it ended.
    assert ask(client, "policies/", on="2024-12-29", status="in_force")["count"] == 1
    assert ask(client, "policies/", on="2024-12-30", status="in_force")["count"] == 0
    assert refusal(client, "policies/", known_at="2026-01-02T10:00:00")[0]["code"] == "malformed"


def test_11_a_tag_outlives_compression_and_belongs_to_one_selection_of_fields(committed, client):
    for _ in range(40):
        make_policy(summary="A summary that is worth compressing. " * 5)
    asked = [
        get(client, "policies/", **parameters)
        if coding is None
        else client.get("/api/v1/policies/", parameters, headers={"accept-encoding": coding})
        for coding, parameters in ((None, {}), ("gzip", {}), ("gzip", {}), (None, {"fields": "slug"}))
    ]
    tags = [answer["ETag"] for answer in asked]

    assert gzip.decompress(asked[1].content) == asked[0].content
    assert tags[0] == tags[1] == tags[2] != tags[3]
    again = client.get("/api/v1/policies/", headers={"accept-encoding": "gzip", "if-none-match": tags[1]})
    assert (again.status_code, again.content) == (304, b"")
    Policy.objects.update(summary="Another")
    assert client.get("/api/v1/policies/", headers={"if-none-match": tags[0]}).status_code == 200


def test_12_every_write_is_written_down_by_whatever_door_it_came(committed, client):
    policy = make_policy(slug="law")
    Policy.objects.update(summary="In bulk")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE regulations_policy SET summary = 'In SQL'")
    policy.topics.add(make_topic())

    assert ask(client, "policies/law/history/")["count"] == 4


def test_13_what_was_only_touched_is_no_news_and_what_was_committed_late_is_no_loss(committed, client):
    policy = make_policy(slug="law")
    start = ask(client, "changes/", since="*")
    policy.save()
    assert client.get(start["next"]).json()["results"] == []

    late = Thread(target=add_policy, args=(committed, "late"))
    late.start()
    late.join()
    Policy.objects.filter(slug="law").delete()

    assert [(item["key"], item["event"]["code"]) for item in client.get(start["next"]).json()["results"]] == [
        ("late", "created"),
        ("law", "deleted"),
    ]


def add_policy(database, slug):
    with connected_to(database):
        make_policy(slug=slug, jurisdiction=Policy.objects.first().jurisdiction)


@pytest.mark.parametrize(("query", "status"), [("", 200), ("?knd=bill", 400)])
def test_14_an_answer_that_differs_from_the_description_fails_the_test_that_got_it(knowledge, client, query, status):
    answer = client.get(f"/api/v1/policies/{query}")

    assert (answer.status_code, list(faults(answer.wsgi_request, answer))) == (status, [])
    answer.content = answer.content.replace(b'"count"', b'"total"').replace(b'"detail"', b'"said"')
    assert list(faults(answer.wsgi_request, answer))


def test_15_a_record_keeps_its_identity_through_new_keys_and_the_way_back(committed, client):
    company = make_company(slug="huobi", name="Huobi")
    company.slug, company.name = "htx", "HTX"
    company.save()
    assert get(client, "companies/huobi/")["Location"] == "/api/v1/companies/htx/"

    company_id = company.pk
    company.delete()
    assert get(client, "companies/htx/").status_code == 410
    Company.objects.create(pk=company_id, slug="htx", name="HTX")

    # What is listed again is the same record: its history goes on.
    told = ask(client, "companies/htx/history/")
    assert [change["rows"][0]["action"]["code"] for change in told["results"]] == [
        "added",
        "removed",
        "changed",
        "added",
    ]
