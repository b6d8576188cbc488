"""Validators and freshness: when a cache may give an answer again, and when the answer it has is still ours.

An answer is a function of our program, of our records, of the day and of the question. Its tag is made of just these,
before the records are asked, so that whoever has the answer already costs us one short statement.

Source: RFC 9110, sections 8.8 and 13; RFC 9111; RFC 5861 (stale-while-revalidate).
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from http import HTTPStatus
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponseBase, HttpResponseNotModified
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.http import http_date, parse_http_date_safe

from kbase.reading import clock

# For so long a cache gives an answer without asking us, and for so long again while it asks us behind the reader's back.
FRESH_SECONDS = 60
STALE_SECONDS = 300
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
    """The answer with its validators, or 304 to who has it already.

    A tag that we gave is told before anything else is read: we gave it for a good answer, and it names this question.
    `If-None-Match: *` and `If-Modified-Since` prove nothing of the kind, so the question is answered first, and refused
    with what is wrong with it as ever.
    """
    now = timezone.now()
    # Read before the records: a change in between makes the answer newer than its tag, never older.
    validators = _validators(request, sent, now)
    asked = request.headers.get("If-None-Match")
    if asked and validators.tag in _TAG.findall(asked):
        return validators.sent_on(HttpResponseNotModified(), now)
    response = answer()
    if response.status_code != HTTPStatus.OK:
        # A redirect says where, and is kept like an answer; there is nothing in it to compare.
        response["Cache-Control"] = validators.freshness
        return response
    validators.sent_on(response, now)
    if asked.strip() == "*" if asked else _is_unmodified(request, response):
        if response.streaming:
            response.close()
        return validators.sent_on(HttpResponseNotModified(), now)
    return response


@lru_cache
def build() -> Build:
    """The program that runs: our applications' files, and the list of the packages they stand on."""
    roots = [Path(config.path) for config in apps.get_app_configs()]
    files = sorted(path for root in roots if root.parent == settings.BASE_DIR for path in root.rglob("*.py"))
    files.append(settings.BASE_DIR / "requirements.txt")
    digest = hashlib.sha256(b"\0".join(path.read_bytes() for path in files)).hexdigest()
    return Build(digest, datetime.fromtimestamp(max(path.stat().st_mtime for path in files), UTC))


def _validators(request: HttpRequest, sent: Mapping[str, str], now: datetime) -> Validators:
    is_dated, moment = "on" in sent, clock.moment_asked(sent)
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    # What we said at a past moment does not depend on what was changed since.
    changed_at = moment or _last_change()
    moments = [build().changed_at, *([] if is_dated else [midnight]), *([changed_at] if changed_at else [])]
    day = None if is_dated else midnight.date().isoformat()
    parts = (build().digest, str(changed_at), day, request.build_absolute_uri(request.path), sorted(sent.items()))
    digest = salted_hmac(__name__, repr(parts), algorithm="sha256").hexdigest()[:32]
    fresh, stale = (PAST_SECONDS, PAST_SECONDS) if moment else (FRESH_SECONDS, STALE_SECONDS)
    return Validators(f'"{digest}"', max(moments), _freshness(fresh, stale, None if is_dated else midnight, now))


def _last_change() -> datetime | None:
    """The moment of the last change that can be seen."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT as_known.last_change()")
        found: datetime | None = cursor.fetchone()[0]
    return found


def _freshness(fresh: int, stale: int, midnight: datetime | None, now: datetime) -> str:
    """The header; an answer that speaks of today (midnight is its beginning) is not given again tomorrow."""
    if midnight:
        left = int((midnight + timedelta(days=1) - now).total_seconds())
        fresh = min(fresh, left)
        stale = min(stale, left - fresh)
    return f"public, max-age={fresh}, stale-while-revalidate={stale}"


def _is_unmodified(request: HttpRequest, response: HttpResponseBase) -> bool:
    """Whether the reader's copy is as new as ours, as far as whole seconds can tell."""
    since = parse_http_date_safe(request.headers.get("If-Modified-Since", ""))
    changed = parse_http_date_safe(response.headers.get("Last-Modified", ""))
    return since is not None and changed is not None and changed <= since
