"""The timeline as it is asked for: as JSON, as a calendar, as a feed."""

import hashlib
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import orjson
from django.core import signing
from django.http import HttpResponse, HttpResponseBase
from django.utils import timezone
from rest_framework import serializers

from kbase.reading.fields import Code
from kbase.reading.problems import BadRequest, Fault
from kbase.reading.questions import LARGEST_PAGE, PAGE_SIZE, START
from kbase.reading.renderers import JSONRenderer
from kbase.reading.values import read_text
from kbase.reading.views import (
    AnswerSerializer,
    Asked,
    Question,
    QuestionView,
    a_day,
    a_flag,
    a_number,
    a_word,
    some_records,
    some_words,
)
from regulations import feeds
from regulations.api.entries import Window, count, entries, shape_of
from regulations.api.records import RecordLineSerializer
from regulations.api.refs import CompanyRef, JurisdictionRef, PolicyRef
from regulations.api.steps import COLLECTIONS, KINDS
from regulations.models import Company, Jurisdiction, Policy, Topic
from regulations.models.base import DatePrecision

# A calendar with more would not be looked at, and be slow to load at each turn; it is refused rather than cut.
MOST_IN_CALENDAR = 5000
SALT = "timeline"
# A feed has what is new.
LATEST = 100

FILTERS: Mapping[str, Asked] = {
    "from": a_day("The first day asked for."),
    "until": a_day("The first day no longer asked for."),
    "coming": a_flag("Whether it comes after the day that is asked about."),
    "kind": some_words(tuple(KINDS), "What happens."),
    "collection": some_words(COLLECTIONS, "The collection of the record that it belongs to."),
    "jurisdiction": some_records(Jurisdiction, "The jurisdictions that it is about, or whose law it is.", key="code"),
    "applies_in": some_records(
        Jurisdiction, "Where the law that it is of reaches on the day that is asked about.", key="code"
    ),
    "topic": some_records(Topic, "What it is about."),
    "policy": some_records(Policy, "The policies that it is about."),
    "company": some_records(Company, "The companies that it is about."),
}


class TimelineEntrySerializer(serializers.Serializer):
    """A dated step of a record."""

    uid = serializers.CharField(help_text="A UUID that stays when the date moves; calendars and feeds have it too.")
    date = serializers.DateField(help_text="The day; the first one of a month or year known only as such.")
    date_precision = Code(DatePrecision.choices, help_text="How exactly the date is known.")
    kind = Code(list(KINDS.items()), help_text="What happens.")
    title = serializers.CharField(help_text="What happens to what, in words.")
    is_coming = serializers.BooleanField(help_text="Whether it comes after the day that is asked about.")
    record = RecordLineSerializer(help_text="The record that it belongs to.")
    jurisdictions = JurisdictionRef(many=True, help_text="The jurisdictions that it is about, or whose law it is.")
    policies = PolicyRef(many=True, help_text="The policies that it is about.")
    companies = CompanyRef(many=True, help_text="The companies that it is about.")
    moved_count = serializers.IntegerField(help_text="How often its date, or the precision of it, was changed.")
    changed_at = serializers.DateTimeField(
        allow_null=True, help_text="When its row was changed last; null while the change is being made."
    )


class TimelineSerializer(AnswerSerializer):
    """Dated steps in order."""

    count = serializers.IntegerField(
        allow_null=True, help_text="How many steps there are, exactly; null after the first page."
    )
    next = serializers.CharField(allow_null=True, help_text="The address of the next page.")
    results = TimelineEntrySerializer(many=True)


class TimelineView(QuestionView):
    """All dated steps in order, past and coming: of policies, stances, authorisations, enforcement actions, measures,
    events, appointments, memberships, companies' relations and foundings."""

    name = "timeline"
    parameters = {
        **FILTERS,
        "ordering": a_word(("date", "-date"), "The earliest first, or the latest.", default="date"),
        "page_size": a_number(1, LARGEST_PAGE, "How many steps a page has.", default=PAGE_SIZE),
        "cursor": Asked(read_text, {"type": "string"}, "Goes on after a page: follow `next`.", default=START),
    }
    answer_class = TimelineSerializer

    def answer(self, question: Question) -> Mapping[str, Any]:
        shape, asked = shape_of(question), question.values
        after = _resumed(question)
        size: int = asked["page_size"]
        # One more than asked for tells whether there is a next page.
        window = Window(size + 1, is_descending=asked["ordering"] == "-date", is_resumed=after is not None)
        found = entries(question, shape, window, after)
        following = None
        if len(found) > size:
            following = question.address(
                "timeline/", on=question.on.isoformat(), cursor=_cursor(question, found[size - 1])
            )
        total = count(question, shape) if after is None else None
        return {"count": total, "next": following, "results": [orjson.Fragment(row[3]) for row in found[:size]]}


class CalendarRenderer(JSONRenderer):
    media_type = "text/calendar"
    format = "ics"


class AtomRenderer(JSONRenderer):
    media_type = "application/atom+xml"
    format = "atom"


class TimelineCalendarView(QuestionView):
    """The timeline as an iCalendar to subscribe to: an event for each step, with a stable UID, and a SEQUENCE that
    rises when the date moves. It is whole or refused."""

    name = "timeline as a calendar"
    parameters = FILTERS
    media_type = CalendarRenderer.media_type
    renderer_classes = [CalendarRenderer]

    def answer(self, question: Question) -> HttpResponseBase:
        shape = shape_of(question)
        found = entries(question, shape, Window(MOST_IN_CALENDAR + 1))
        if len(found) > MOST_IN_CALENDAR:
            detail = f"A calendar has {MOST_IN_CALENDAR} steps at most; ask for fewer, by from, jurisdiction or kind."
            raise BadRequest([Fault("from", "out_of_range", detail)])
        body = feeds.calendar(map(_entry, found), _title(question), timezone.now())
        return HttpResponse(body, content_type=f"{self.media_type}; charset=utf-8")


class TimelineFeedView(QuestionView):
    """The steps whose rows were changed last, as an Atom feed: the latest change first, a hundred at most."""

    name = "timeline as a feed"
    parameters = FILTERS
    media_type = AtomRenderer.media_type
    renderer_classes = [AtomRenderer]

    def answer(self, question: Question) -> HttpResponseBase:
        found = entries(question, shape_of(question), Window(LATEST, is_descending=True, by_change=True))
        own, page = question.address("timeline.atom"), question.address("timeline/")
        body = feeds.atom(map(_entry, found), _title(question), own, page, timezone.now())
        return HttpResponse(body, content_type=f"{self.media_type}; charset=utf-8")


def _title(question: Question) -> str:
    said = "; ".join(
        f"{name} {', '.join(value) if isinstance(value, list) else value}"
        for name, value in question.understood.items()
    )
    return f"Crypto regulation: {said}" if said else "Crypto regulation"


def _entry(row: tuple[Any, ...]) -> feeds.Entry:
    told = orjson.loads(row[3])
    return feeds.Entry(
        uid=told["uid"],
        date=date.fromisoformat(told["date"]),
        precision=told["date_precision"]["code"],
        title=told["title"],
        kind=told["kind"]["label"],
        url=told["record"]["url"],
        places=tuple(place["code"] for place in told["jurisdictions"]),
        moved_count=told["moved_count"],
        changed_at=datetime.fromisoformat(told["changed_at"]) if told["changed_at"] else None,
    )


def _fingerprint(question: Question) -> str:
    asked = {name: value for name, value in question.understood.items() if name not in ("cursor", "page_size")}
    return hashlib.sha256(repr((sorted(asked.items()), question.days())).encode()).hexdigest()[:16]


def _cursor(question: Question, last: tuple[Any, ...]) -> str:
    """The cursor that resumes after this entry."""
    day, place, row_id, _ = last
    at = [_fingerprint(question), [day.isoformat(), place, row_id]]
    return signing.Signer(salt=SALT).sign_object(at, compress=True)


def _resumed(question: Question) -> list[Any] | None:
    """The date, the place and the row of the entry to resume after; None at the start.

    Raises BadRequest for a cursor that is not ours, or of another question.
    """
    cursor = question.values["cursor"]
    if cursor == START:
        return None
    try:
        fingerprint, (day, place, row_id) = signing.Signer(salt=SALT).unsign_object(cursor)
    except signing.BadSignature:
        detail = "This cursor was not given by us; leave it out, and follow “next”."
        raise BadRequest([Fault("cursor", "malformed", detail)]) from None
    if fingerprint != _fingerprint(question):
        detail = "This cursor belongs to another question; keep the filters, the ordering and the day."
        raise BadRequest([Fault("cursor", "contradictory", detail)])
    return [date.fromisoformat(day), place, row_id]
