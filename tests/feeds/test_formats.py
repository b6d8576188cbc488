"""Calendars and feeds are what their standards say, by the word of parsers that others wrote."""

from datetime import date, datetime
from pathlib import Path

import feedparser
import icalendar
import pytest
import vobject
from django.db import connection
from django.test import Client
from lxml import etree

from regulations.feeds import Entry, day_after
from regulations.models import Milestone
from tests.api.asking import ROOT, ask
from tests.api.test_queries import statements
from tests.factories import make_event, make_jurisdiction, make_milestone, make_policy

GRAMMAR = etree.RelaxNG(etree.parse(Path(__file__).with_name("atom.rng")))
AWKWARD = 'Rules, "old"; new\\old <b>& more</b> – 香港\nsecond line ' + "long " * 30


def entry(**facts):
    usual = {"uid": "u", "date": date(2024, 1, 1), "precision": "day", "title": "T", "kind": "K", "url": "http://h/"}
    return Entry(**{**usual, "places": (), "moved_count": 0, "changed_at": None, **facts})


def events(client, **sent):
    answer = client.get(f"{ROOT}timeline.ics", sent)
    assert answer.status_code == 200, answer.content
    return icalendar.Calendar.from_ical(answer.content).walk("VEVENT")


def feed(client, **sent):
    answer = client.get(f"{ROOT}timeline.atom", sent)
    assert answer.status_code == 200, answer.content
    return answer


@pytest.mark.parametrize(
    ("precision", "first", "after"),
    [
        ("day", date(2024, 2, 28), date(2024, 2, 29)),
        ("day", date(2024, 12, 31), date(2025, 1, 1)),
        ("month", date(2024, 2, 1), date(2024, 3, 1)),
        ("month", date(2024, 12, 1), date(2025, 1, 1)),
        ("year", date(2024, 1, 1), date(2025, 1, 1)),
        ("year", date(9999, 1, 1), date.max),
        ("day", date.max, date.max),
    ],
)
def test_what_is_known_of_a_date_ends_before_the_next_day_month_or_year(precision, first, after):
    assert day_after(entry(date=first, precision=precision)) == after


def test_calendar_of_the_whole_knowledge_is_read_by_two_parsers(knowledge):
    answer = Client().get(f"{ROOT}timeline.ics")
    count = ask(Client(), "timeline/", page_size=1)["count"]

    read = icalendar.Calendar.from_ical(answer.content)
    again = vobject.readOne(answer.content.decode())

    assert answer["Content-Type"] == "text/calendar; charset=utf-8"
    assert len(read.walk("VEVENT")) == len(again.vevent_list) == count > 1000
    assert [fault for event in read.walk("VEVENT") for fault in event.errors] == []
    assert again.validate(raiseException=True)
    assert len({str(event["uid"]) for event in read.walk("VEVENT")}) == count
    assert max(len(line) for line in answer.content.split(b"\r\n")) <= 75


def test_feed_of_the_whole_knowledge_follows_the_grammar(knowledge):
    answer = feed(Client())

    read = feedparser.parse(answer.content)

    assert answer["Content-Type"] == "application/atom+xml; charset=utf-8"
    assert GRAMMAR.validate(etree.fromstring(answer.content)), GRAMMAR.error_log
    assert not read.bozo
    assert read.version == "atom10"
    assert len(read.entries) == len({item.id for item in read.entries}) == 100
    [own] = [link.href for link in read.feed.links if link.rel == "self"]
    assert own == read.feed.id == f"http://testserver{ROOT}timeline.atom"


def test_feed_without_entries_follows_the_grammar_too(db, client):
    assert GRAMMAR.validate(etree.fromstring(feed(client).content)), GRAMMAR.error_log


def test_awkward_texts_come_out_as_they_went_in(db, client):
    policy = make_policy(title=AWKWARD[:300])
    make_milestone(policy=policy, kind="applies")

    [event] = events(client)
    [item] = feedparser.parse(feed(client, policy=policy.slug).content, sanitize_html=False).entries

    assert str(event["summary"]) == f"{AWKWARD[:300]}: Applies"
    assert " ".join(item.title.split()) == " ".join(f"2024-01-01: {AWKWARD[:300]}: Applies".split())


def test_month_that_is_all_that_is_known_is_shown_as_a_month(db, client):
    make_milestone(date=date(2026, 2, 1), date_precision="month")

    [event] = events(client)

    assert (event["dtstart"].dt, event["dtend"].dt) == (date(2026, 2, 1), date(2026, 3, 1))
    assert event["dtstart"].params["VALUE"] == "DATE"
    assert str(event["summary"]).endswith("(some day in 2026-02)")


def test_filters_are_those_of_the_timeline(db, client):
    place = make_jurisdiction(code="HK")
    make_milestone(policy=make_policy(jurisdiction=place), date=date(2024, 1, 1))
    make_milestone(date=date(2024, 1, 2))
    make_event(jurisdiction=place, starts_on=date(2025, 1, 1))

    assert [event["dtstart"].dt for event in events(client, jurisdiction="HK")] == [date(2024, 1, 1), date(2025, 1, 1)]
    assert len(events(client, coming="true", on="2024-01-01")) == 2
    assert len(feedparser.parse(feed(client, jurisdiction="HK", until="2025-01-01").content).entries) == 1


def test_moving_a_date_keeps_the_uid_and_raises_the_sequence(committed):
    client, step = Client(), make_milestone(date=date(2024, 1, 1))
    [before] = events(client)
    known_before = Milestone.objects.get().date

    step.date = date(2024, 3, 1)
    step.save()

    [after] = events(client)
    assert before["uid"] == after["uid"]
    assert (before["sequence"], after["sequence"]) == (0, 1)
    assert (known_before, after["dtstart"].dt) == (date(2024, 1, 1), date(2024, 3, 1))
    assert before["last-modified"].dt <= after["last-modified"].dt
    assert after["dtstamp"].dt == after["last-modified"].dt == last_moment().replace(microsecond=0)


def test_earlier_moment_has_the_earlier_date_and_sequence(committed):
    client, step = Client(), make_milestone(date=date(2024, 1, 1))
    moment = last_moment()
    step.date = date(2024, 3, 1)
    step.save()

    [then] = events(client, known_at=moment.isoformat().replace("+00:00", "Z"))

    assert (then["dtstart"].dt, then["sequence"]) == (date(2024, 1, 1), 0)
    assert then["last-modified"].dt == moment.replace(microsecond=0)


def test_feed_begins_with_what_changed_last_under_its_old_id(committed):
    client = Client()
    first, _ = make_milestone(date=date(2024, 1, 1)), make_milestone(date=date(2024, 1, 2))
    before = feedparser.parse(feed(client).content).entries
    first.date = date(2024, 1, 3)
    first.save()

    after = feedparser.parse(feed(client).content)

    assert [item.id for item in after.entries] == [item.id for item in before][::-1]
    assert datetime.fromisoformat(after.entries[0].updated) == last_moment()
    assert after.feed.updated == after.entries[0].updated


@pytest.mark.parametrize(
    ("path", "media_type"), [("timeline.ics", "text/calendar"), ("timeline.atom", "application/atom+xml")]
)
def test_format_costs_two_queries_and_is_described(db, client, path, media_type):
    from drf_spectacular.generators import SchemaGenerator

    make_milestone()
    with statements() as run:
        assert client.get(f"{ROOT}{path}", headers={"accept": media_type}).status_code == 200

    # 1. SELECT the moment of the last change. 2. SELECT the steps, each rendered.
    assert len(run) == 2
    described = SchemaGenerator().get_schema(public=True)["paths"][f"{ROOT}{path}"]["get"]["responses"]
    assert list(described["200"]["content"]) == [media_type]
    assert list(described["400"]["content"]) == ["application/problem+json"]


@pytest.mark.parametrize("path", ["timeline.ics", "timeline.atom"])
def test_request_that_takes_another_type_alone_is_told_so(db, client, path):
    answer = client.get(f"{ROOT}{path}", headers={"accept": "application/json"})

    assert (answer.status_code, answer["Content-Type"]) == (406, "application/problem+json")


def test_calendar_that_would_have_to_be_cut_is_refused(db, client, monkeypatch):
    monkeypatch.setattr("regulations.api.timeline.MOST_IN_CALENDAR", 1)
    make_milestone(date=date(2024, 1, 1))
    assert len(events(client)) == 1
    make_milestone(date=date(2024, 1, 2))

    answer = client.get(f"{ROOT}timeline.ics")

    assert answer.status_code == 400
    assert len(events(client, **{"from": "2024-01-02"})) == 1


def last_moment():
    with connection.cursor() as cursor:
        cursor.execute("SELECT max(moment) FROM regulations_change")
        return cursor.fetchone()[0]
