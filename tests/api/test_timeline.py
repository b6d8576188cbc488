"""The timeline tells every dated step once, in order, as of the day and the moment that is asked about."""

from datetime import date

import pytest
from django.apps import apps
from django.db import models

from regulations.api.steps import KINDS, STEPS
from tests.api.asking import ask, refusal, walk
from tests.api.test_queries import statements
from tests.factories import (
    make_authorisation,
    make_company,
    make_company_relation,
    make_enforcement_action,
    make_event,
    make_event_step,
    make_jurisdiction,
    make_membership,
    make_milestone,
    make_policy,
    make_stance,
    make_topic,
)

# Dates of evidence, of files and of wording, and those that the database derives from milestones.
NOT_STEPS = {
    ("AuthorisationFacet", "applied_on"),
    ("AuthorisationFacet", "granted_on"),
    ("AuthorisationFacet", "ended_on"),
    ("PolicyFacet", "introduced_on"),
    ("PolicyTally", "month"),
    ("RecordEvidence", "last_read_on"),
    ("RecordEvidence", "newest_source_on"),
    ("EvidenceTally", "day"),
    ("Appointment", "held_on"),
    ("Citation", "read_on"),
    ("CompanyName", "valid_until"),
    ("Extract", "on"),
    ("Figure", "as_of"),
    ("Policy", "introduced_on"),
    ("Policy", "effective_from"),
    ("Policy", "effective_until"),
    ("Source", "published_on"),
}


def days(client, **sent):
    return [entry["date"] for entry in ask(client, "timeline/", **sent)["results"]]


def kinds(client, **sent):
    return [entry["kind"]["code"] for entry in ask(client, "timeline/", **sent)["results"]]


def test_every_date_of_the_models_is_told_or_left_out_on_purpose():
    dates = {
        (model.__name__, field.name)
        for model in apps.get_app_config("regulations").get_models()
        for field in model._meta.get_fields()
        if isinstance(field, models.DateField) and not isinstance(field, models.DateTimeField)
    }

    assert {(step.model.__name__, step.date) for step in STEPS} == dates - NOT_STEPS


def test_timeline_tells_each_dated_field_of_each_row_once(world_of, client):
    world_of(5, size=20)
    expected = sorted(
        day.isoformat() for step in STEPS for day in step.model.objects.values_list(step.date, flat=True) if day
    )

    pages = list(walk(client, "timeline/", page_size=7))
    told = [entry for page in pages for entry in page["results"]]

    assert [entry["date"] for entry in told] == expected
    assert len({entry["uid"] for entry in told}) == len(told) == pages[0]["count"] > 100
    assert {page["count"] for page in pages[1:]} == {None}


@pytest.mark.parametrize("size", [1, 3, 200])
def test_walk_backwards_is_the_walk_forwards_reversed(world_of, client, size):
    world_of(5, size=3)
    forwards = [entry["uid"] for page in walk(client, "timeline/", page_size=200) for entry in page["results"]]

    backwards = walk(client, "timeline/", page_size=size, ordering="-date")

    assert [entry["uid"] for page in backwards for entry in page["results"]] == forwards[::-1]


def test_entry_says_what_happens_to_which_record(db, client):
    place = make_jurisdiction(code="HK", name="Hong Kong")
    policy = make_policy(slug="hk-law", title="Hong Kong law", jurisdiction=place)
    make_milestone(policy=policy, key="hk-law-applies", kind="applies", date=date(2026, 8, 1), date_precision="month")

    [entry] = ask(client, "timeline/", on="2026-01-01")["results"]

    assert entry.pop("uid")
    root = "http://testserver/api/v1/"
    assert entry == {
        "date": "2026-08-01",
        "date_precision": {"code": "month", "label": "Month"},
        "kind": {"code": "policy_applies", "label": "Policy: Applies"},
        "title": "Hong Kong law: Applies",
        "is_coming": True,
        "record": {
            "collection": "milestones",
            "key": "hk-law-applies",
            "title": "Hong Kong law: Applies",
            "url": f"{root}milestones/hk-law-applies/",
        },
        "jurisdictions": [{"code": "HK", "name": "Hong Kong", "url": f"{root}jurisdictions/HK/"}],
        "policies": [{"slug": "hk-law", "title": "Hong Kong law", "url": f"{root}policies/hk-law/"}],
        "companies": [],
        "moved_count": 0,
        # The test's change has not been committed.
        "changed_at": None,
    }


def test_from_is_the_first_day_and_until_the_first_no_longer_asked_for(db, client):
    for day in range(1, 6):
        make_milestone(date=date(2024, 1, day))

    assert days(client, **{"from": "2024-01-02", "until": "2024-01-04"}) == ["2024-01-02", "2024-01-03"]


@pytest.mark.parametrize(("coming", "expected"), [("true", ["2024-01-03"]), ("false", ["2024-01-01", "2024-01-02"])])
def test_what_is_coming_follows_the_day_asked_about(db, client, coming, expected):
    for day in range(1, 4):
        make_milestone(date=date(2024, 1, day))

    assert days(client, coming=coming, on="2024-01-02") == expected
    assert {entry["is_coming"] for entry in ask(client, "timeline/", coming=coming, on="2024-01-02")["results"]} == {
        coming == "true"
    }


def test_law_of_a_bloc_is_told_where_it_applies_on_the_day(db, client):
    bloc, place = make_jurisdiction(code="EU", kind="supranational"), make_jurisdiction(code="GB")
    make_membership(member=place, bloc=bloc, valid_until=date(2020, 2, 1))
    make_milestone(policy=make_policy(jurisdiction=bloc), date=date(2019, 1, 1))

    assert kinds(client, applies_in="GB", on="2020-01-31") == ["policy_announced"]
    assert kinds(client, applies_in="GB", on="2020-02-01") == []


def test_filters_by_related_records_find_all_kinds_of_steps(db, client):
    hong_kong, custody = make_jurisdiction(code="HK"), make_topic(slug="custody")
    policy = make_policy(slug="law", jurisdiction=hong_kong)
    policy.topics.add(custody)
    make_milestone(policy=policy)
    firm, other = make_company(slug="firm"), make_company(slug="other", founded_on=date(2020, 1, 1))
    make_authorisation(company=firm, policy=policy, jurisdiction=hong_kong, granted_on=date(2024, 2, 1))
    make_enforcement_action(jurisdiction=hong_kong, announced_on=date(2024, 3, 1)).companies.add(firm, other)
    make_stance(jurisdiction=hong_kong, topic=custody, valid_from=date(2024, 4, 1)).policies.add(policy)
    make_company_relation(company=other, target=firm, valid_from=date(2024, 5, 1))

    granted, fined, begins = "authorisation_granted", "enforcement_announced", "stance_begins"
    assert kinds(client, policy="law") == ["policy_announced", granted, begins]
    assert kinds(client, company="firm") == [granted, fined, "relation_begins"]
    assert kinds(client, company="firm,other") == ["company_founded", granted, fined, "relation_begins"]
    assert kinds(client, topic="custody") == ["policy_announced", begins]
    assert kinds(client, jurisdiction="HK", company="firm") == [granted, fined]
    assert kinds(client, topic="custody", company="firm") == []


def test_filters_by_kind_and_collection_name_what_is_told(db, client):
    event = make_event(starts_on=date(2024, 5, 1))
    make_event_step(event=event, kind="demo_day", date=date(2024, 4, 1))
    make_event_step(event=event, kind="session", date=date(2024, 4, 2))
    make_milestone(kind="repealed", date=date(2024, 1, 1))

    assert kinds(client, collection="events") == ["event_demo_day", "event_session", "event_begins"]
    assert kinds(client, kind="event_demo_day,policy_repealed") == ["policy_repealed", "event_demo_day"]
    assert kinds(client, kind="event_demo_day", collection="milestones") == []
    assert ask(client, "timeline/", kind="event_demo_day", collection="milestones")["count"] == 0


def test_uid_stays_and_moves_are_counted_when_a_date_moves_or_the_key_changes(db, client):
    step = make_milestone(date=date(2024, 1, 1))
    [before] = ask(client, "timeline/")["results"]
    step.note = "Wording alone is no move."
    step.save()
    step.date = date(2024, 2, 1)
    step.save()
    step.date_precision = "month"
    step.save()
    step.key = "another-key"
    step.save()

    [after] = ask(client, "timeline/")["results"]

    assert (before["uid"], before["moved_count"]) == (after["uid"], 0)
    assert (after["date"], after["moved_count"], after["record"]["key"]) == ("2024-02-01", 2, "another-key")


def test_two_dates_of_one_record_have_two_uids(db, client):
    make_stance(valid_from=date(2024, 1, 1), valid_until=date(2024, 2, 1))

    begins, ends = ask(client, "timeline/")["results"]

    assert begins["uid"] != ends["uid"]


@pytest.mark.parametrize(
    ("sent", "parameter", "code"),
    [
        ({"form": "2024-01-01"}, "form", "unknown"),
        ({"from": "January"}, "from", "malformed"),
        ({"from": "2024-01-02", "until": "2024-01-02"}, "until", "contradictory"),
        ({"coming": "maybe"}, "coming", "malformed"),
        ({"kind": "policy_aplies"}, "kind", "unknown"),
        ({"collection": "topics"}, "collection", "unknown"),
        ({"jurisdiction": "XX"}, "jurisdiction", "unknown"),
        ({"company": "a,a"}, "company", "repeated"),
        ({"ordering": "kind"}, "ordering", "unknown"),
        ({"page_size": "0"}, "page_size", "out_of_range"),
        ({"cursor": "nonsense"}, "cursor", "malformed"),
    ],
)
@pytest.mark.parametrize("path", ["timeline/", "timeline.ics", "timeline.atom"])
def test_what_could_be_misread_is_refused_in_every_format(db, client, path, sent, parameter, code):
    is_of_pages = parameter in ("ordering", "page_size", "cursor") and path != "timeline/"

    faults = refusal(client, path, **sent)

    assert [(fault["parameter"], fault["code"]) for fault in faults] == [
        (parameter, "unknown" if is_of_pages else code)
    ]


def test_cursor_of_another_question_is_refused(world_of, client):
    world_of(5, size=3)
    [following] = [ask(client, "timeline/", page_size=1)["next"]]

    answer = client.get(f"{following}&coming=true")

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["code"] == "contradictory"


def test_page_costs_as_many_queries_however_many_kinds_and_records(world_of, client):
    world_of(5, size=2)
    with statements() as few:
        ask(client, "timeline/", page_size=200)
    world_of(5, size=20)

    with statements() as many:
        first = ask(client, "timeline/", page_size=100)
    with statements() as following:
        assert client.get(first["next"]).status_code == 200

    # 1. SELECT the versions of the tables, and again at the end. 2. SELECT the page, each step rendered. 3. SELECT count(*),
    # on the first page alone.
    assert (len(few), len(many), len(following)) == (4, 4, 3)


def test_kinds_are_words_of_their_own():
    assert len(KINDS) == sum(len(step.kinds) for step in STEPS)
