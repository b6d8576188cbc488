"""What a request asks, read from its parameters and understood before anything is answered."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from django.core import signing
from django.utils import timezone

from kbase.reading import ordering, selection
from kbase.reading.filtering import Filtering, read_filters
from kbase.reading.ordering import Order
from kbase.reading.problems import BadRequest, Fault, Faults, unknown
from kbase.reading.searching import BY_RELEVANCE, NOTHING, PARAMETER, RELEVANCE, Sought, read_query
from kbase.reading.selection import EVERYTHING, Selection
from kbase.reading.values import read_date, read_integer, read_items, read_moment

if TYPE_CHECKING:
    from kbase.reading.resources import Resource
    from kbase.reading.serializers import ResourceSerializer

PAGE_SIZE = 50
LARGEST_PAGE = 200
# Beyond this row a numbered page reads and throws away more than anybody looks at; a cursor costs the same everywhere.
DEEPEST_ROW = 10_000
SELECTIONS_KEPT = 1000
QUESTIONS_KEPT = 1000
# The cursor that starts a walk.
START = "*"
# Cursors bear no time, so that an answer is the same whenever and by whichever process it is made.
SALT = "cursor"

DETAIL_PARAMETERS = ("on", "known_at", "fields", "omit", "expand")
LIST_PARAMETERS = (*DETAIL_PARAMETERS, PARAMETER, "ordering", "page", "page_size", "cursor", "facets", "format")
FORMATS = ("json", "csv", "ndjson")
# What has no meaning for a whole list.
OF_PAGES = ("page", "page_size", "cursor", "facets")
# What a walk may change on its way: it shows other things of the same rows.
SHOWN_ONLY = ("cursor", "page_size", "fields", "omit", "expand", "facets", "format")


@dataclass(frozen=True)
class Page:
    """Which rows of a list are asked for: a numbered page (from 1), or those after a row that a cursor remembers."""

    size: int
    number: int | None = None
    after: tuple[str | None, ...] | None = None


@dataclass(frozen=True)
class DetailQuestion:
    """What is asked of one record: as of which day and which moment of our records, and which fields."""

    on: date
    known_at: datetime | None
    selection: Selection


@dataclass(frozen=True)
class ListQuestion:
    """What is asked of a list. `holding` keeps the records that hold on the day, where the resource has such.

    sought: what the rows are searched for. facets: the filters by whose values the rows are counted too.
    format: one of FORMATS; all but json are the whole list.
    understood: the question as the answer repeats it.
    """

    on: date
    known_at: datetime | None
    holding: bool
    filtering: Filtering
    sought: Sought
    order: Order
    selection: Selection
    page: Page
    facets: tuple[str, ...]
    format: str
    understood: Mapping[str, Any]
    fingerprint: str

    def cursor(self, last: Iterable[Any]) -> str:
        """The cursor that resumes after a row with these values in the order's columns."""
        values = [column.remembered(value) for column, value in zip(self.order, last, strict=True)]
        return signing.Signer(salt=SALT).sign_object([self.fingerprint, self.on.isoformat(), values], compress=True)


def refuse_unknown_names(sent: Iterable[str], allowed: Iterable[str]) -> None:
    """Raise BadRequest for parameters that are none of those allowed."""
    Faults(_unknown_names(sent, allowed)).refuse()


def read_detail(sent: Mapping[str, str]) -> DetailQuestion:
    """Read the parameters of a request for one record.

    Raises BadRequest with all that is wrong with them.
    """
    faults = Faults(_unknown_names(sent, DETAIL_PARAMETERS))
    chosen, on, known_at = EVERYTHING, timezone.localdate(), None
    with faults.gathering():
        chosen = _selection(sent)
    with faults.gathering():
        on = _day(sent, on)
    with faults.gathering():
        known_at = _moment(sent)
    faults.refuse()
    return DetailQuestion(on, known_at, chosen)


def read_list(resource: type[Resource], sent: Mapping[str, str]) -> ListQuestion:
    """Read the parameters of a request for a list.

    Raises BadRequest with all that is wrong with them.
    """
    today = timezone.localdate()
    if PARAMETER in sent or sent.keys() & resource.filterset_class.base_filters.keys():
        return _read_list(resource, sent, today)
    # A class is hashable, whatever mypy says of this one.
    return _read_once(resource, tuple(sent.items()), today)  # type: ignore[arg-type]


@lru_cache(QUESTIONS_KEPT)
def _read_once(resource: type[Resource], sent: tuple[tuple[str, str], ...], today: date) -> ListQuestion:
    """What no words and filters are read for asks the database nothing, and so is understood alike all day."""
    return _read_list(resource, dict(sent), today)


def _read_list(resource: type[Resource], sent: Mapping[str, str], today: date) -> ListQuestion:
    filters = resource.filterset_class.base_filters
    faults = Faults(_unknown_names(sent, [*filters, *_parameters(resource)]))
    read: dict[str, Any] = {}
    with faults.gathering():
        read["on"] = _day(sent, today)
    with faults.gathering():
        read["known_at"] = _moment(sent)
    with faults.gathering():
        read["filtering"] = read_filters(filters, sent)
    with faults.gathering():
        read["order"] = _order(resource, sent)
    with faults.gathering():
        words = read_query(PARAMETER, sent[PARAMETER]) if PARAMETER in sent else None
    with faults.gathering():
        read["selection"] = _selection(sent)
        # An unknown field is told together with the other faults, not after them.
        _refuse_unknown_fields(resource.serializer_class, read["selection"])
    with faults.gathering():
        read["page"] = _page(sent)
    with faults.gathering():
        read["facets"] = _facets(sent, resource.filterset_class.facets())
    with faults.gathering():
        read["format"] = _format(sent)
    faults.refuse()
    # Understood last, as what is refused asks the database nothing.
    read["sought"] = resource.search.understand(words) if resource.search and words else NOTHING
    return _resumed(_question(resource, sent, read), sent)


def _parameters(resource: type[Resource]) -> list[str]:
    return [name for name in LIST_PARAMETERS if resource.search or name != PARAMETER]


def _order(resource: type[Resource], sent: Mapping[str, str]) -> Order:
    """The order that is asked for; the best first, if words are looked for and no other order is asked for."""
    names = sent.get("ordering", RELEVANCE if PARAMETER in sent else None)
    if names is not None and RELEVANCE in names.split(",") and PARAMETER not in sent:
        detail = f"Only what is searched has a relevance; say by {PARAMETER} what to look for, or order otherwise."
        raise BadRequest([Fault("ordering", "contradictory", detail)])
    columns = {**resource.columns(), **({RELEVANCE: BY_RELEVANCE} if PARAMETER in sent else {})}
    return ordering.read_order(names, columns, resource.default_order, resource.key)


@lru_cache(SELECTIONS_KEPT)
def _refuse_unknown_fields(serializer_class: type[ResourceSerializer], chosen: Selection) -> None:
    """Raise BadRequest for fields that are not there. To build a serializer takes longer than to answer."""
    serializer_class(selection=chosen).fields  # noqa: B018 (to build them is to check them)


def _question(resource: type[Resource], sent: Mapping[str, str], read: dict[str, Any]) -> ListQuestion:
    asked = sorted((name, sent[name]) for name in sent if name not in SHOWN_ONLY)
    fingerprint = hashlib.sha256(repr((resource.collection, asked)).encode()).hexdigest()[:16]
    return ListQuestion(
        holding="on" in sent and resource.holding_on is not None,
        understood=_understood(resource, sent, read),
        fingerprint=fingerprint,
        **read,
    )


def _understood(resource: type[Resource], sent: Mapping[str, str], read: dict[str, Any]) -> dict[str, Any]:
    filters = resource.filterset_class.base_filters
    page: Page = read["page"]
    return {
        **{name: filters[name].understood(sent[name]) for name in sent if name in filters},
        **({PARAMETER: sent[PARAMETER]} if PARAMETER in sent else {}),
        **({"understood_as": read["sought"].understood_as} if read["sought"].understood_as else {}),
        **{name: sent[name].split(",") for name in ("fields", "omit", "expand", "facets") if name in sent},
        "ordering": [column.asked for column in read["order"]],
        **({} if page.number is None else {"page": page.number}),
        "page_size": page.size,
    }


def _resumed(question: ListQuestion, sent: Mapping[str, str]) -> ListQuestion:
    """The question as of the day and after the row that its cursor remembers."""
    cursor = sent.get("cursor")
    if cursor is None or cursor == START:
        return question
    try:
        fingerprint, on, values = signing.Signer(salt=SALT).unsign_object(cursor)
    except signing.BadSignature:
        detail = f"This cursor was not given by us; start a walk with cursor={START} and follow “next”."
        raise BadRequest([Fault("cursor", "malformed", detail)]) from None
    if fingerprint != question.fingerprint:
        detail = "This cursor belongs to another query; keep the filters, the ordering and the day while walking."
        raise BadRequest([Fault("cursor", "contradictory", detail)])
    page = Page(question.page.size, after=tuple(values))
    return ListQuestion(**{**vars(question), "on": date.fromisoformat(on), "page": page})


def _unknown_names(sent: Iterable[str], allowed: Iterable[str]) -> list[Fault]:
    possible = list(allowed)
    return [unknown(name, "parameter", name, possible) for name in sent if name not in possible]


def _day(sent: Mapping[str, str], today: date) -> date:
    return read_date("on", sent["on"]) if "on" in sent else today


def _moment(sent: Mapping[str, str]) -> datetime | None:
    return read_moment("known_at", sent["known_at"]) if "known_at" in sent else None


def _selection(sent: Mapping[str, str]) -> Selection:
    return selection.parse(sent.get("fields"), sent.get("omit"), sent.get("expand"))


def _facets(sent: Mapping[str, str], possible: Iterable[str]) -> tuple[str, ...]:
    names = read_items("facets", sent["facets"]) if "facets" in sent else []
    faults = Faults(unknown("facets", "facet", name, possible) for name in names if name not in possible)
    faults.refuse()
    return tuple(names)


def _format(sent: Mapping[str, str]) -> str:
    name = sent.get("format", "json")
    if name not in FORMATS:
        raise BadRequest([unknown("format", "format", name, FORMATS)])
    faults = Faults()
    if name != "json":
        detail = f"format={name} is the whole list; leave {{}} out."
        faults.extend(Fault(each, "contradictory", detail.format(each)) for each in OF_PAGES if each in sent)
    faults.refuse()
    return name


def _page(sent: Mapping[str, str]) -> Page:
    size = read_integer("page_size", sent["page_size"], 1, LARGEST_PAGE) if "page_size" in sent else PAGE_SIZE
    if "cursor" in sent:
        if "page" in sent:
            raise BadRequest([Fault("page", "contradictory", "A cursor knows its place; leave page out.")])
        return Page(size)
    deepest = DEEPEST_ROW // size
    number = read_integer("page", sent["page"], 1, 10**9) if "page" in sent else 1
    if number > deepest:
        detail = f"page is {number}; numbered pages end at {deepest}. Walk further with cursor={START}."
        raise BadRequest([Fault("page", "out_of_range", detail)])
    return Page(size, number)
