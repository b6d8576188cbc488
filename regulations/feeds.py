"""What is dated and what is new, in the formats that calendars and feed readers subscribe to.

Formats only: they know nothing of requests and queries. What a month or a year is known of is shown as that span.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.utils.feedgenerator import Atom1Feed
from django.utils.html import escape
from icalendar import Calendar, Event

PRODUCT = "-//kbase//timeline//EN"


@dataclass(frozen=True)
class Entry:
    """A dated step.

    uid: a UUID that stays when the date moves. precision: day, month or year. moved_count: how often the date moved.
    changed_at: when our record of it was changed last; None if that is not known.
    """

    uid: str
    date: date
    precision: str
    title: str
    kind: str
    url: str
    places: tuple[str, ...]
    moved_count: int
    changed_at: datetime | None


def calendar(entries: Iterable[Entry], name: str, now: datetime) -> bytes:
    """The entries as an iCalendar of all-day events that block nobody's time.

    now: stands for the moments of change that are not known.
    Source: RFC 5545, RFC 7986 (the name).
    """
    found = Calendar()
    found.add("prodid", PRODUCT)
    found.add("version", "2.0")
    found.add("name", name)
    found.add("x-wr-calname", name)
    for entry in entries:
        found.add_component(_event(entry, now))
    return bytes(found.to_ical())


def atom(entries: Iterable[Entry], title: str, address: str, page: str, now: datetime) -> bytes:
    """The entries as an Atom feed whose own address is `address`, in their order. page: where the same is read too.

    Source: RFC 4287.
    """
    feed = Atom1Feed(title, link=page, description="", feed_url=address, feed_guid=address, language="en")
    for entry in entries:
        feed.add_item(
            title=f"{shown_date(entry)}: {entry.title}",
            link=entry.url,
            # Written as HTML by Django.
            description=escape(f"{entry.kind}, {shown_date(entry)}."),
            unique_id=f"urn:uuid:{entry.uid}",
            # A feed without an author needs one in each entry.
            author_name="kbase",
            updateddate=entry.changed_at or now,
            categories=[entry.kind, *entry.places],
        )
    return feed.writeString("utf-8").encode()


def shown_date(entry: Entry) -> str:
    """The date as far as it is known: 2026-07-01, 2026-07 or 2026."""
    return entry.date.isoformat()[: {"day": 10, "month": 7, "year": 4}[entry.precision]]


def day_after(entry: Entry) -> date:
    """The first day after the day, month or year of the entry. The calendar ends with the year 9999."""
    try:
        if entry.precision == "day":
            return entry.date + timedelta(days=1)
        if entry.precision == "month" and entry.date.month < 12:
            return entry.date.replace(month=entry.date.month + 1)
        return entry.date.replace(year=entry.date.year + 1, month=1)
    except (OverflowError, ValueError):
        return date.max


def _event(entry: Entry, now: datetime) -> Event:
    changed = (entry.changed_at or now).astimezone(UTC).replace(microsecond=0)
    unsure = "" if entry.precision == "day" else f" (some day in {shown_date(entry)})"
    event = Event()
    event.add("uid", entry.uid)
    event.add("sequence", entry.moved_count)
    # Of a calendar that is published, not sent, this is the moment of the last change.
    event.add("dtstamp", changed)
    event.add("last-modified", changed)
    event.add("dtstart", entry.date)
    event.add("dtend", day_after(entry))
    event.add("summary", entry.title + unsure)
    event.add("categories", [entry.kind, *entry.places])
    event.add("url", entry.url)
    event.add("transp", "TRANSPARENT")
    return event
