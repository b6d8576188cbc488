"""Answers from questions: statements compiled once for each shape of question, run, and joined as bytes."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import orjson
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import QuerySet

from kbase.reading import clock, facets, kept, windows
from kbase.reading.covering import Covering
from kbase.reading.expressions import Merged, Param, Slice, only
from kbase.reading.fields import ON, project
from kbase.reading.filtering import Filtering
from kbase.reading.ordering import Order
from kbase.reading.problems import BadRequest, Fault
from kbase.reading.questions import START, DetailQuestion, ListQuestion
from kbase.reading.related import RelatedCovering, links_of
from kbase.reading.searching import BY_RELEVANCE, MANY, SOME
from kbase.reading.selection import Selection
from kbase.reading.statements import Statement, added, compile_statement, counting
from kbase.reading.windows import Window

if TYPE_CHECKING:
    from kbase.reading.resources import Resource

# The JSON, and the addresses of the next, the previous and the first page by these names.
ListAnswer = tuple[bytes, Mapping[str, str | None]]

# Of very many that are found by words, so many at most are counted under filters.
COUNTED = 500

# So many records at most are looked at by themselves as of a past moment.
MOST_CHANGED = 1000
CHANGED = Param("changed", ArrayField(models.BigIntegerField()))

# So many shapes of question keep their statements; a front end asks in a few dozen.
SHAPES_KEPT = 1000


@dataclass(frozen=True)
class Rows:
    """Which rows are asked for, as far as it shapes statements: by which filters, whether holding on the day, how
    searched (see Sought.shape), whether as they were at a past moment, and whether that is near: so few of them were
    changed since that these are told by their ids, and the table that stands in for the records tells of all others.
    """

    filters: tuple[tuple[str, Any], ...]
    holding: bool
    searched: str
    is_past: bool
    is_near: bool = False


def detail_answer(resource: type[Resource], question: DetailQuestion, key: str, root: str) -> bytes | None:
    """The record with this key as JSON; None if there is none. root: the address of the API."""
    statement = _detail_statement(resource, question.selection)
    found = statement.rows({**_told(question, root), "key": key})
    return found[0][0] if found else None


def list_answer(resource: type[Resource], question: ListQuestion, root: str, sent: Mapping[str, str]) -> ListAnswer:
    """The list that is asked for as JSON, in its envelope, and its neighbours' addresses by their relations.

    sent: the parameters, repeated in these addresses.

    Raises BadRequest for a page beyond the last.
    """
    address = f"{root}{resource.collection}/?"
    if question.page.number is None:
        return _walk(resource, question, root, sent, address)
    return _numbered_page(resource, question, root, sent, address)


def list_rows(
    resource: type[Resource], question: ListQuestion, root: str, count: int | None = None
) -> tuple[int, bytes]:
    """How many records a list has, and those of the numbered page that is asked for, as a JSON array.

    The question does not look for words of which very many are found.
    count: how many there are, where that is known already.
    Raises BadRequest for a page beyond the last.
    """
    number, size = question.page.number or 1, question.page.size
    values = _values(question, root) | {"offset": (number - 1) * size}
    rows, values = _looked_back(resource, _rows(question, question.filtering), values)
    if count is None:
        count = kept.rows(_count_statement(resource, rows), values)[0][0]
    last = _last_page(count, size)
    if number > last:
        detail = f"page is {number}; there are {last} pages of {size}."
        raise BadRequest([Fault("page", "out_of_range", detail)])
    if not count:
        return 0, b"[]"
    window = Window(question.order, size, number > 1, None)
    return count, _page_statement(resource, rows, window, question.selection, with_keyset=False).array(values)


def all_rows(resource: type[Resource], question: ListQuestion, root: str) -> Iterator[bytes]:
    """All records of the list, as JSON, without ever holding more than a few of them."""
    rows = _gathered(_rows(question, question.filtering))
    statement = _whole_statement(resource, rows, question.order, question.selection)
    for batch in statement.batches(_values(question, root)):
        yield from (row[0] for row in batch)


def _numbered_page(
    resource: type[Resource], question: ListQuestion, root: str, sent: Mapping[str, str], address: str
) -> ListAnswer:
    number = question.page.number or 1
    if question.sought.shape == MANY:
        count, found, is_last = _rows_of_many(resource, question, root)
    else:
        count, found = list_rows(resource, question, root)
        is_last = number >= _last_page(count, question.page.size)
    following = None if is_last else address + urlencode({**sent, "page": number + 1})
    previous = address + urlencode({**sent, "page": number - 1}) if number > 1 else None
    first = address + urlencode({**sent, "page": 1})
    counts = _facets(resource, question, _values(question, root))
    body = _envelope(question, count, following, previous, found, counts)
    return body, {"next": following, "prev": previous, "first": first}


def _rows_of_many(resource: type[Resource], question: ListQuestion, root: str) -> tuple[int | None, bytes, bool]:
    """How many records are found, None where these are too many to count; the page as a JSON array; whether it is the last.

    Raises BadRequest for a page beyond the last.
    """
    number, size = question.page.number or 1, question.page.size
    rows = _rows(question, question.filtering)
    values = _values(question, root)
    # One row more than asked for tells whether there is a next page.
    window = Window(question.order, size + 1, number > 1, None)
    found = _page_of_many(resource, rows, window, question.selection, values | {"offset": (number - 1) * size})
    if number > 1 and not found:
        detail = f"page is {number}; there are fewer pages of {size}."
        raise BadRequest([Fault("page", "out_of_range", detail)])
    count = None
    if rows.filters or rows.holding:
        counted = kept.rows(_bounded_count_statement(resource, rows), values)[0][0]
        count = counted if counted <= COUNTED else None
    return count, _array(found[:size]), len(found) <= size


def _page_of_many(
    resource: type[Resource], rows: Rows, window: Window, chosen: Selection, values: Mapping[str, Any]
) -> list[Any]:
    """The rows of a numbered page of very many; if they are in parts, the ranked before the others."""
    if not windows.is_in_parts(window.order, rows.searched):
        return _page_statement(resource, rows, window, chosen, with_keyset=False).rows(values)
    ranked = replace(window, part=windows.RANKED)
    found = _page_statement(resource, rows, ranked, chosen, with_keyset=False).rows(values)
    if len(found) == window.size:
        return found
    passed = 0
    if window.has_offset and not found:
        before = _ranked_statement(resource, rows).rows(values)[0][0]
        passed = values["offset"] - before
    others = replace(window, part=windows.OTHERS)
    rest = _page_statement(resource, rows, others, chosen, with_keyset=False).rows({**values, "offset": passed})
    return found + rest[: window.size - len(found)]


def _last_page(count: int, size: int) -> int:
    return max(1, -(-count // size))


def _walk(
    resource: type[Resource], question: ListQuestion, root: str, sent: Mapping[str, str], address: str
) -> ListAnswer:
    after = question.page.after
    rows, values = _looked_back(resource, _rows(question, question.filtering), _values(question, root))
    values = {**values, "after": after}
    found: list[Any] = []
    # One row more than asked for tells whether there is a next page.
    for window in windows.of_walk(question.order, question.page.size + 1, rows.searched, after):
        if len(found) < window.size:
            statement = _page_statement(resource, rows, window, question.selection, with_keyset=True)
            found += statement.rows(values)[: window.size - len(found)]
    shown = found[: question.page.size]
    following = None
    if len(found) > len(shown):
        following = address + urlencode({**sent, "cursor": question.cursor(shown[-1][1:])})
    first = address + urlencode({**sent, "cursor": START})
    counts = _facets(resource, question, values)
    body = _envelope(question, None, following, None, _array(shown), counts)
    return body, {"next": following, "first": first}


def _values(question: ListQuestion, root: str) -> dict[str, Any]:
    return {**question.filtering.values, **question.sought.values, **_told(question, root)}


def _rows(question: ListQuestion, filtering: Filtering) -> Rows:
    return Rows(filtering.shape, question.holding, question.sought.shape, question.known_at is not None)


def _looked_back(resource: type[Resource], rows: Rows, values: Mapping[str, Any]) -> tuple[Rows, Mapping[str, Any]]:
    """The same rows, as near if few of them were changed since the past moment, and the values with these."""
    covering = resource.covering
    if not rows.is_past or not isinstance(covering, Covering) or covering.changed is None:
        return rows, values
    near = replace(rows, is_near=True)
    if _covering(resource, near) is None:
        return rows, values
    changed = covering.changed.rows({})[0][0]
    return (near, {**values, "changed": changed}) if len(changed) <= MOST_CHANGED else (rows, values)


def _gathered(rows: Rows) -> Rows:
    """The same rows where all of them are needed."""
    return replace(rows, searched=SOME) if rows.searched == MANY else rows


def _told(question: DetailQuestion | ListQuestion, root: str) -> dict[str, Any]:
    """What comes with every rendering (see fields)."""
    return {"on": question.on, "known_at": clock.shown(question.known_at), "root": root}


def _facets(resource: type[Resource], question: ListQuestion, values: Mapping[str, Any]) -> dict[str, Any]:
    """The counts of each facet under the filters of the others."""
    found = {}
    for name in question.facets:
        rows = _gathered(_rows(question, question.filtering.without(name)))
        found[name] = facets.as_json(kept.rows(_facet_statement(resource, rows, name), values))
    return found


def records_by_id(
    resource: type[Resource], ids: Collection[int], filtering: Filtering, told: Mapping[str, Any]
) -> dict[int, bytes]:
    """Those of the records with these ids that meet the filters, as JSON, as the list shows them.

    told: what comes with every rendering (see fields).
    """
    statement = _records_statement(resource, Rows(filtering.shape, False, "", told["known_at"] is not None))
    return dict(statement.rows({**filtering.values, **told, "ids": list(ids)}))


def _envelope(
    question: ListQuestion,
    count: int | None,
    following: str | None,
    previous: str | None,
    rows: bytes,
    counts: Mapping[str, Any],
) -> bytes:
    head = {
        "count": count,
        "next": following,
        "previous": previous,
        "on": question.on,
        "known_at": clock.shown(question.known_at),
        "query": question.understood,
    }
    tail = b',"facets":' + orjson.dumps(counts) if counts else b""
    return b"".join([orjson.dumps(head)[:-1], b',"results":', rows, tail, b"}"])


def _array(rows: Sequence[Any]) -> bytes:
    """The JSON array of what stands in the rows' first column."""
    return b"[" + b",".join(row[0] for row in rows) + b"]"


@lru_cache(SHAPES_KEPT)
def _page_statement(
    resource: type[Resource], rows: Rows, window: Window, chosen: Selection, *, with_keyset: bool
) -> Statement:
    """The rows of a page: these are found first, and then rendered."""
    covering = _covering(resource, rows, window.order)
    serializer = resource.serializer_class(selection=chosen)
    if isinstance(covering, Covering) and not rows.is_past:
        # What the table tells of a record need not be looked up again.
        page = only(_found(resource, rows, window), window.size, has_offset=window.has_offset)
        rendered = project(serializer, covering.path, covering.codes)
    else:
        ids = _page_ids(resource, rows, window)
        page = _measured(resource, window.order, resource.queryset.model._base_manager.filter(pk__in=ids))
        rendered = project(serializer)
    keyset = [column.path for column in window.order] if with_keyset else []
    order = [column.order_by() for column in window.order]
    return compile_statement(page.order_by(*order).values_list(rendered, *keyset))


def _page_ids(resource: type[Resource], rows: Rows, window: Window) -> Slice | Merged:
    covering = _covering(resource, rows, window.order)
    if isinstance(covering, Covering) and rows.is_near:
        paths = [column.path for column in window.order]
        filters = resource.filterset_class.base_filters
        unchanged = _in_window(covering.unchanged(filters, rows.filters, CHANGED), window)
        changed = _in_window(_matching(resource, rows).filter(pk__any_of=CHANGED), window)
        found = [unchanged.values_list(covering.record, *paths), changed.values_list("pk", *paths)]
        directions = [column.direction for column in window.order]
        return Merged(found, directions, window.size, has_offset=window.has_offset)
    ids = _found(resource, rows, window).values(covering.record if covering else "pk")
    return Slice(ids, window.size, has_offset=window.has_offset)


def _found(resource: type[Resource], rows: Rows, window: Window) -> QuerySet:
    """The rows that are asked for, of the records or of the table that stands in for them."""
    covering = _covering(resource, rows, window.order)
    if covering is None:
        return _in_window(_measured(resource, window.sorted_by, _matching(resource, rows, window.part)), window)
    matching = covering.matching(resource.filterset_class.base_filters, rows.filters)
    if resource.search and rows.searched:
        matching = resource.search.apply(matching, rows.searched, covering.record)
    return _in_window(matching, window)


def _in_window(matching: QuerySet, window: Window) -> QuerySet:
    """The rows in their order, from where the window begins."""
    if window.missing is not None:
        matching = matching.filter(window.are_after())
    if window.part == windows.EMPTIES:
        matching = matching.filter(window.order[0].is_empty())
    return matching.order_by(*(column.order_by() for column in window.sorted_by))


def _measured(resource: type[Resource], order: Order, rows: QuerySet) -> QuerySet:
    """The rows with what they are ordered by."""
    is_needed = resource.search and BY_RELEVANCE in order
    return resource.search.measured(rows) if is_needed else rows


@lru_cache(SHAPES_KEPT)
def _whole_statement(resource: type[Resource], rows: Rows, order: Order, chosen: Selection) -> Statement:
    rendered = project(resource.serializer_class(selection=chosen))
    matching = _measured(resource, order, _matching(resource, rows))
    ordered = matching.order_by(*(column.order_by() for column in order))
    return compile_statement(ordered.values_list(rendered))


@lru_cache(SHAPES_KEPT)
def _count_statement(resource: type[Resource], rows: Rows) -> Statement:
    covering = _covering(resource, rows)
    filters = resource.filterset_class.base_filters
    if isinstance(covering, Covering) and rows.is_near:
        unchanged = covering.unchanged(filters, rows.filters, CHANGED).order_by().values(covering.record)
        changed = _matching(resource, rows).filter(pk__any_of=CHANGED).order_by().values("pk")
        return added(counting(compile_statement(unchanged)), counting(compile_statement(changed)))
    if covering:
        return covering.count(filters, rows.filters)
    links = None if rows.holding or rows.searched else links_of(resource.queryset, filters, rows.filters)
    counted = _matching(resource, rows) if links is None else links
    return counting(compile_statement(counted.order_by().values("pk")))


@lru_cache(SHAPES_KEPT)
def _bounded_count_statement(resource: type[Resource], rows: Rows) -> Statement:
    """Counts up to one more than are counted of very many."""
    covering = _covering(resource, rows)
    if covering and resource.search:
        covered = covering.matching(resource.filterset_class.base_filters, rows.filters)
        found = resource.search.apply(covered, rows.searched, covering.record).values(covering.record)
    else:
        found = _matching(resource, rows).values("pk")
    return counting(compile_statement(found.order_by()[: COUNTED + 1]))


@lru_cache(SHAPES_KEPT)
def _ranked_statement(resource: type[Resource], rows: Rows) -> Statement:
    """Counts the ranked of very many that meet the filters."""
    return counting(compile_statement(_matching(resource, rows, windows.RANKED).order_by().values("pk")))


@lru_cache(SHAPES_KEPT)
def _facet_statement(resource: type[Resource], rows: Rows, name: str) -> Statement:
    covering = _covering(resource, rows)
    if isinstance(covering, Covering) and covering.counts(name):
        return covering.facet(resource.filterset_class, rows.filters, name)
    return resource.filterset_class.facets()[name].statement(_matching(resource, rows).order_by())


@lru_cache(SHAPES_KEPT)
def _detail_statement(resource: type[Resource], chosen: Selection) -> Statement:
    rendered = project(resource.detail_serializer_class(selection=chosen))
    rows = resource.queryset.order_by().filter(**{resource.key: Param("key", models.TextField())})
    return compile_statement(rows.values_list(rendered))


@lru_cache(SHAPES_KEPT)
def _records_statement(resource: type[Resource], rows: Rows) -> Statement:
    asked = _matching(resource, rows).order_by().filter(pk__any_of=Param("ids", ArrayField(models.BigIntegerField())))
    return compile_statement(asked.values_list("pk", project(resource.serializer_class())))


def _covering(resource: type[Resource], rows: Rows, order: Order = ()) -> Covering | RelatedCovering | None:
    """The table that stands in for the records, if the question is one for it."""
    covering = resource.covering
    if covering is None or rows.holding or rows.searched not in ("", MANY):
        return None
    if rows.is_past and not rows.is_near:
        return None
    return covering if covering.covers(rows.filters, [column.path for column in order]) else None


def _matching(resource: type[Resource], rows: Rows, part: str = "") -> QuerySet:
    found = resource.queryset.all()
    if rows.holding:
        found = found.filter(resource.holding_on(ON))
    if resource.search and part in (windows.RANKED, windows.OTHERS):
        is_ranked = resource.search.is_ranked()
        found = found.filter(is_ranked if part == windows.RANKED else ~is_ranked)
    if resource.search and rows.searched and part != windows.RANKED:
        found = resource.search.apply(found, rows.searched)
    return Filtering(rows.filters, {}).apply(resource.filterset_class.base_filters, found)
