"""A resource: a collection of records, read as a list and one by one."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from http import HTTPStatus
from typing import Any, ClassVar
from urllib.parse import quote

from django.conf import settings
from django.db.models import Q, QuerySet
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter
from rest_framework.views import APIView
from rest_framework.viewsets import ViewSet

from kbase.reading import clock, ordering
from kbase.reading.answers import detail_answer, list_answer
from kbase.reading.caching import validated
from kbase.reading.covering import Covering
from kbase.reading.exports import MEDIA_TYPES, export
from kbase.reading.filters import ResourceFilter
from kbase.reading.keys import keys_like
from kbase.reading.links import link
from kbase.reading.ordering import Column
from kbase.reading.problems import Gone, NotFound, unknown
from kbase.reading.questions import read_detail, read_list, refuse_unknown_names
from kbase.reading.related import RelatedCovering
from kbase.reading.renderers import JSONAnswer
from kbase.reading.searching import Search
from kbase.reading.serializers import ResourceSerializer
from kbase.reading.values import query_parameters


class Resource(ViewSet):
    """A collection of records. A subclass says what follows, and nothing else.

    collection: its name in addresses.
    key: the natural key of a record.
    queryset: its records.
    serializer_class, detail_serializer_class: a record in the list, and alone.
    filterset_class: its filters.
    order: what the list may be ordered by (see ordering.columns); the key is always among it.
    default_order: names of these.
    holding_on: where records hold over a span of days, the condition that they hold on a day; an explicit `on` then
        keeps only those.
    covering: the table that stands in for the records where their ids are looked for, if there is one.
    search: how its records are found by words; the router sets it.
    """

    collection: ClassVar[str]
    key: ClassVar[str] = "slug"
    queryset: ClassVar[QuerySet]
    serializer_class: ClassVar[type[ResourceSerializer]]
    detail_serializer_class: ClassVar[type[ResourceSerializer]]
    filterset_class: ClassVar[type[ResourceFilter]]
    order: ClassVar[tuple[str, ...]] = ()
    default_order: ClassVar[tuple[str, ...]] = ()
    holding_on: ClassVar[Callable[[Any], Q] | None] = None
    covering: ClassVar[Covering | RelatedCovering | None] = None
    formats = MEDIA_TYPES
    search: ClassVar[Search | None] = None
    lookup_url_kwarg = "key"
    lookup_value_regex = "[^/]+"

    def list(self, request: Request) -> HttpResponseBase:
        """The records that meet the filters, a page at a time."""
        sent = query_parameters(request.META["QUERY_STRING"])
        return validated(request, sent, lambda: self._list(request, sent))

    def retrieve(self, request: Request, key: str) -> HttpResponseBase:
        """One record by its key."""
        sent = query_parameters(request.META["QUERY_STRING"])
        return validated(request, sent, lambda: self._retrieve(request, sent, key))

    def _list(self, request: Request, sent: Mapping[str, str]) -> HttpResponseBase:
        with clock.known_at(clock.moment_asked(sent)):
            question = read_list(type(self), sent)
            if question.format != "json":
                return export(type(self), question, root_of(request), request)
            body, relations = list_answer(type(self), question, root_of(request), sent)
        return JSONAnswer(body, link(relations))

    def _retrieve(self, request: Request, sent: Mapping[str, str], key: str) -> HttpResponseBase:
        question = read_detail(sent)
        with clock.known_at(question.known_at):
            # PostgreSQL has no NUL in its texts, so no key has one either.
            answer = None if "\x00" in key else detail_answer(type(self), question, key, root_of(request))
            if answer is None:
                return self.moved(request, key)
        return JSONAnswer(answer, link({"collection": f"{root_of(request)}{self.collection}/"}))

    @classmethod
    @lru_cache
    def columns(cls) -> dict[str, Column]:
        """What the list may be ordered by."""
        return ordering.columns(cls.queryset.model, [*cls.order, cls.key])

    @classmethod
    def moved(cls, request: Request, key: str) -> Response:
        """A permanent redirect to the record that had the key; the rest of the address stays as it is.

        Raises Gone if that record is no longer there, and NotFound if there never was one.
        """
        past = None if "\x00" in key else clock.past_of(cls.queryset.model._meta.db_table, key)
        if past is None:
            raise cls.not_found(key)
        if past.gone_at:
            raise cls._gone(request, key, past)
        current = cls.queryset.order_by().values_list(cls.key, flat=True).filter(pk=past.row_id).first()
        if current is None:
            raise cls.not_found(key)
        before, _, after = request.get_full_path().partition(f"/{cls.collection}/{quote(key)}/")
        location = f"{before}/{cls.collection}/{quote(current)}/{after}"
        return Response(status=HTTPStatus.PERMANENT_REDIRECT, headers={"Location": location})

    @classmethod
    def _gone(cls, request: Request, key: str, past: clock.Past) -> Gone:
        when, why = f"{past.gone_at:%Y-%m-%d}", f": {past.reason}" if past.reason else ""
        return Gone(
            f"The record “{key[:100]}” was taken out of {cls.collection} on {when}{why}. Its history stays readable.",
            gone_at=clock.shown(past.gone_at),
            kind=past.kind,
            reason=past.reason or None,
            history=f"{root_of(request)}{cls.collection}/{quote(key)}/history/",
        )

    @classmethod
    def not_found(cls, key: str) -> NotFound:
        nearest = unknown("", "record", key, keys_like(cls.queryset, cls.key, key)).nearest
        hint = f" Did you mean “{nearest}”?" if nearest else ""
        return NotFound(f"There is no record “{key[:100]}” in {cls.collection}.{hint}", nearest)


class Collections(APIView):
    """Where each collection is found."""

    collections: ClassVar[list[str]] = []

    def get(self, request: Request) -> HttpResponseBase:
        sent = query_parameters(request.META["QUERY_STRING"])
        refuse_unknown_names(sent, ())
        return validated(request, sent, lambda: self._get(request))

    def _get(self, request: Request) -> JSONAnswer:
        return JSONAnswer({name: f"{root_of(request)}{name}/" for name in self.collections}, link({}))


class ResourceRouter(SimpleRouter):
    """The addresses of resources: `collection/` and `collection/key/`.

    search: makes, from a collection's name, how its records are found by words.
    """

    def __init__(self, search: Callable[[str], Search] | None = None) -> None:
        super().__init__()
        self.search = search

    def add(self, resource: type[Resource]) -> None:
        """Add a resource under its collection's name."""
        resource.search = self.search(resource.collection) if self.search else None
        self.register(resource.collection, resource, basename=resource.collection)

    def get_urls(self) -> list[URLPattern]:
        """The collections' addresses, and that of their index."""
        collections = [prefix for prefix, _, _ in self.registry]
        return [path("", Collections.as_view(collections=collections), name="collections"), *super().get_urls()]


def root_of(request: Request) -> str:
    """The address of the API, as the request reached it."""
    root: str = request.build_absolute_uri(settings.API_ROOT)
    return root
