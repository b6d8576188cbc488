"""Validators and freshness: when a cache may give an answer again, and when the answer it has is still ours.

An answer is a function of our program, of our records, of the day and of the question. Its tag is made of just these,
before the records are asked, so that whoever has the answer already costs us one short statement.

Source: RFC 9110, sections 8.8 and 13; RFC 9111; RFC 5861 (stale-while-revalidate).
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from http import HTTPStatus
from pathlib import Path

import orjson
from django.apps import apps
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase, HttpResponseNotModified
from django.utils import timezone
from django.utils.http import http_date, parse_http_date_safe

from kbase.reading import clock, kept, versions
from kbase.reading.renderers import JSONAnswer
from kbase.reading.versions import Reading

# What we said at a past moment changes only with our program.
PAST_SECONDS = 24 * 60 * 60
# Last-Modified counts whole seconds, and changes get their moments a little before they can be seen: what changed
# within this time may change again without a later second to show for it.
SETTLED_AFTER = timedelta(seconds=60)


_TAG = re.compile(r'(?:W/)?("[^"]*")')


@dataclass(frozen=True)
class Build:
    """The program that answers: a digest of its source, and when it was last changed."""

    digest: str
    changed_at: datetime


@dataclass(frozen=True)
class Validators:
    """What tells an answer from another one to the same question: its tag, when it last changed, how long it is fresh.

    tag: opaque, in quotation marks; weak, as compression writes the same answer in other bytes.
    """

    tag: str
    changed_at: datetime
    freshness: str

    def sent_on(self, response: HttpResponseBase, now: datetime) -> HttpResponseBase:
        """The response with these validators."""
        response["ETag"] = f"W/{self.tag}"
        response["Cache-Control"] = self.freshness
        if now - self.changed_at > SETTLED_AFTER:
            response["Last-Modified"] = http_date(self.changed_at.timestamp())
        return response


def validated(
    request: HttpRequest, sent: Mapping[str, str], answer: Callable[[], HttpResponseBase]
) -> HttpResponseBase:
    """The answer with its validators, or 304 to who has it already. What is kept is not asked again.

    A tag that we gave is told before anything else is read: we gave it for a good answer, and it names this question.
    `If-None-Match: *` and `If-Modified-Since` prove nothing of the kind, so the question is answered first, and refused
    with what is wrong with it as ever.

    An answer of several statements is asked again if a change came in between, so that all of it is of one state; the
    last time within one snapshot, which costs more.
    """
    asked = Asked(request, sent, timezone.now())
    for surroundings in (nullcontext, nullcontext, versions.snapshot):
        with surroundings(), versions.reading(asked.moment) as reading:
            if known := asked.answered(reading):
                return known
            response = answer()
        if not isinstance(response, JSONAnswer) or response.status_code != HTTPStatus.OK:
            break
        if surroundings is versions.snapshot or reading.is_of_one_state():
            return asked.keep(response, reading)
    return asked.validated(response, reading)


class Asked:
    """A question as a request puts it: its address, its parameters, the time of day, and the answer its reader has."""

    def __init__(self, request: HttpRequest, sent: Mapping[str, str], now: datetime) -> None:
        self.request, self.now = request, now
        self.moment = clock.moment_asked(sent)
        self._midnight = None if "on" in sent else now.replace(hour=0, minute=0, second=0, microsecond=0)
        day = self._midnight and self._midnight.date().isoformat()
        address = request.build_absolute_uri(request.path)
        self._key = kept.digest(build().digest, day, address, sorted(sent.items()))
        self._validators_of: dict[datetime | None, Validators] = {}
        self._had = request.META.get("HTTP_IF_NONE_MATCH", "").strip()

    def answered(self, reading: Reading) -> HttpResponseBase | None:
        """304 or the kept answer, where we know already what the answer rests on."""
        tables = kept.get(self._key)
        if tables is None:
            return None
        validators = self._validators(frozenset(tables.decode().split(",")), reading)
        if validators.tag in _TAG.findall(self._had):
            return validators.sent_on(HttpResponseNotModified(), self.now)
        found = kept.get(validators.tag)
        if found is None:
            return None
        head, _, body = found.partition(b"\n")
        return self._sent(JSONAnswer(body, orjson.loads(head)), validators)

    def keep(self, response: JSONAnswer, reading: Reading) -> HttpResponseBase:
        """Keep the answer, and what was found on the way to it; returns it with its validators, or 304."""
        for key, found in reading.found.items():
            kept.keep(key, found)
        validators = self._validators(reading.tables, reading)
        if kept.has_room(len(response.content)):
            head = orjson.dumps(dict(response.headers))
            kept.keep(validators.tag, head + b"\n" + response.content)
        kept.keep(self._key, ",".join(reading.tables).encode())
        return self._sent(response, validators)

    def validated(self, response: HttpResponseBase, reading: Reading) -> HttpResponseBase:
        """The response with its validators, or 304."""
        validators = self._validators(reading.tables, reading)
        if response.status_code != HTTPStatus.OK:
            # A redirect says where, and is kept like an answer; there is nothing in it to compare.
            response["Cache-Control"] = validators.freshness
            return response
        return self._sent(response, validators)

    def _sent(self, response: HttpResponseBase, validators: Validators) -> HttpResponseBase:
        validators.sent_on(response, self.now)
        if self._is_had(response, validators):
            if response.streaming:
                response.close()
            return validators.sent_on(HttpResponseNotModified(), self.now)
        return response

    def _is_had(self, response: HttpResponseBase, validators: Validators) -> bool:
        if self._had:
            return self._had == "*" or validators.tag in _TAG.findall(self._had)
        return _is_unmodified(self.request, response)

    def _validators(self, tables: frozenset[str], reading: Reading) -> Validators:
        changed_at = reading.changed_at(tables)
        if changed_at not in self._validators_of:
            self._validators_of[changed_at] = self._validators_at(changed_at)
        return self._validators_of[changed_at]

    def _validators_at(self, changed_at: datetime | None) -> Validators:
        moments = [moment for moment in (build().changed_at, self._midnight, changed_at) if moment]
        fresh, stale = (PAST_SECONDS, PAST_SECONDS) if self.moment else (settings.FRESH_SECONDS, settings.STALE_SECONDS)
        tag = kept.digest(self._key, changed_at)
        return Validators(f'"{tag}"', max(moments), _freshness(fresh, stale, self._midnight, self.now))


@lru_cache
def build() -> Build:
    """The program that runs: our applications' files, and the list of the packages they stand on."""
    roots = [Path(config.path) for config in apps.get_app_configs()]
    files = sorted(path for root in roots if root.parent == settings.BASE_DIR for path in root.rglob("*.py"))
    files.append(settings.BASE_DIR / "requirements.txt")
    digest = hashlib.sha256(b"\0".join(path.read_bytes() for path in files)).hexdigest()
    return Build(digest, datetime.fromtimestamp(max(path.stat().st_mtime for path in files), UTC))


def _freshness(fresh: int, stale: int, midnight: datetime | None, now: datetime) -> str:
    """The header; an answer that speaks of today (midnight is its beginning) is not given again tomorrow."""
    if midnight:
        left = int((midnight + timedelta(days=1) - now).total_seconds())
        fresh = min(fresh, left)
        stale = min(stale, left - fresh)
    return f"public, max-age={fresh}, stale-while-revalidate={stale}"


def _is_unmodified(request: HttpRequest, response: HttpResponseBase) -> bool:
    """Whether the reader's copy is as new as ours, as far as whole seconds can tell."""
    asked = request.META.get("HTTP_IF_MODIFIED_SINCE")
    since = parse_http_date_safe(asked) if asked else None
    if since is None:
        return False
    changed = parse_http_date_safe(response.headers.get("Last-Modified", ""))
    return changed is not None and changed <= since
