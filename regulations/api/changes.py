"""The feed of changes, for those who keep a copy: what to take out of it, and what to put in."""

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cache
from typing import Any, ClassVar

import orjson
from django.core import signing
from django.db import models
from rest_framework import serializers

from kbase.reading import clock
from kbase.reading.answers import records_by_id
from kbase.reading.dependencies import Dependency, Owned, dependencies
from kbase.reading.fields import Code
from kbase.reading.filtering import Filtering, read_filters
from kbase.reading.parameters import Parameter
from kbase.reading.problems import BadRequest, Fault
from kbase.reading.resources import Resource
from kbase.reading.values import read_moment, read_text
from kbase.reading.views import AnswerSerializer, Asked, Question, QuestionView, a_number, as_asked, some_words
from regulations.models import Change, Revision
from regulations.models.changes import Position, as_moment, as_number, page_after, position_of, revisions_after
from regulations.models.history import KEYS, model_of

PAGE_SIZE = 200
LARGEST_PAGE = 1000
# The feed from its beginning.
START = "*"
SALT = "changes"


class FeedEvent(models.TextChoices):
    """What happened to a record, as a copy of the collection sees it."""

    CREATED = "created", "Created"
    CHANGED = "changed", "Changed"
    DELETED = "deleted", "Deleted"
    LEFT = "left", "No longer meets the filters"


class FeedChangeSerializer(serializers.Serializer):
    """A change that touched the record, or a row that the record shows."""

    moment = serializers.DateTimeField(help_text="When it was made.")
    kind = Code(Change.Kind.choices, described_as="ChangeKind", help_text="What kind of change it is.")
    reason = serializers.CharField(allow_null=True, help_text="Why it was made; null if that was not stated.")
    rows = serializers.ListField(child=serializers.CharField(), help_text="The kinds of rows that it touched.")


class FeedItemSerializer(serializers.Serializer):
    """A record that was touched. Apply a page by taking out all keys first, then putting in all records."""

    collection = serializers.CharField(help_text="The record's collection.")
    key = serializers.CharField(help_text="Its key; of a deleted record the last one.")
    previous_keys = serializers.ListField(
        child=serializers.CharField(), help_text="Keys that it had before these changes: take them out."
    )
    url = serializers.URLField(help_text="Its address.")
    event = Code(FeedEvent.choices, help_text="What happened to it.")
    changes = FeedChangeSerializer(many=True, help_text="The changes, in the order of their moments.")
    record = serializers.DictField(
        allow_null=True, help_text="The record as its list shows it now; null if it is to be taken out."
    )


class ChangesSerializer(AnswerSerializer):
    """A page of the feed of changes."""

    next = serializers.URLField(help_text="The address of what comes after; there always is one, now or later.")
    has_more = serializers.BooleanField(help_text="Whether more has happened already.")
    results = FeedItemSerializer(many=True)


class ChangesView(QuestionView):
    """What has changed since a place in the feed, in the order of commits: nothing is missed, whoever else writes.

    Start with `since=*`, or with a moment; then follow `next`. A record comes when its own row has changed, or a row
    that it shows: it comes as it is now. What only the passing of days changes, such as a status, is no change.
    """

    name = "changes"
    path = "changes/"
    answer_class = ChangesSerializer
    resources: ClassVar[list[type[Resource]]] = []
    filters: ClassVar[Mapping[str, Parameter]] = {}
    parameters: ClassVar[Mapping[str, Asked]] = {}

    @classmethod
    def of_all(cls, resources: list[type[Resource]]) -> Any:
        """The view of the changes of all these resources."""
        collections = tuple(resource.collection for resource in resources)
        wanted = some_words(collections, "Only records of these collections.")
        return cls.as_view(resources=resources, parameters={**cls._common(), "collection": wanted})

    @classmethod
    def of_one(cls, resource: type[Resource]) -> Any:
        """The view of the changes of one resource, filtered as its list is."""
        filters = resource.filterset_class.base_filters
        return cls.as_view(
            name=f"changes of {resource.collection.replace('-', ' ')}",
            path=f"changes/{resource.collection}/",
            resources=[resource],
            filters=filters,
            parameters={**cls._common(), **{name: as_asked(each) for name, each in filters.items()}},
        )

    @staticmethod
    def _common() -> dict[str, Asked]:
        return {
            "since": Asked(
                read_text,
                {"type": "string"},
                "The place to read on from: `*`, a past moment, or what `next` says.",
                is_required=True,
            ),
            "change_kind": some_words(tuple(Change.Kind.values), "Only changes of these kinds."),
            "page_size": a_number(1, LARGEST_PAGE, "How many changes of rows are looked at.", default=PAGE_SIZE),
        }

    def answer(self, question: Question) -> dict[str, Any]:
        fingerprint, position = self._place(question)
        size = question.values["page_size"]
        found = page_after(position, question.known_at, question.values["change_kind"], size + 1)
        page = found[:size]
        if page:
            position = position_of(page[-1])
        asked = read_filters(
            self.filters, {name: question.sent[name] for name in self.filters.keys() & question.sent.keys()}
        )
        items = [item for resource in self._asked(question) for item in _items(resource, page, asked, question)]
        return {
            "next": question.address(self.path, since=_token(fingerprint, position)),
            "has_more": len(found) > size,
            "results": [item for _, item in sorted(items, key=lambda pair: pair[0])],
        }

    def _asked(self, question: Question) -> list[type[Resource]]:
        wanted = question.values.get("collection")
        return [each for each in self.resources if not wanted or each.collection in wanted]

    def _place(self, question: Question) -> tuple[str, Position | None]:
        asked = sorted((name, text) for name, text in question.sent.items() if name not in ("since", "page_size", "on"))
        fingerprint = hashlib.sha256(repr((self.path, asked)).encode()).hexdigest()[:16]
        since = question.values["since"]
        return fingerprint, None if since == START else _position(since, fingerprint)


def _position(since: str, fingerprint: str) -> Position | None:
    """The place that a token or a moment names.

    Raises BadRequest for a token that we did not give, or gave for another question.
    """
    if since[:1].isdigit() and "T" in since[:12]:
        return Position(read_moment("since", since))
    try:
        of, moment, revision_id = signing.Signer(salt=SALT).unsign_object(since)
    except signing.BadSignature:
        detail = f"since is none of ours; start with since={START} or a past moment, and follow “next”."
        raise BadRequest([Fault("since", "malformed", detail)]) from None
    if of != fingerprint:
        detail = "This place belongs to another question; keep the filters while following the feed."
        raise BadRequest([Fault("since", "contradictory", detail)])
    return Position(as_moment(moment), revision_id) if revision_id else None


def _token(fingerprint: str, position: Position | None) -> str:
    place = (as_number(position.moment), position.revision_id) if position else (0, 0)
    return signing.Signer(salt=SALT).sign_object([fingerprint, *place])


def _items(
    resource: type[Resource], page: list[Revision], asked: Filtering, question: Question
) -> Iterator[tuple[tuple[Any, ...], dict[str, Any]]]:
    """The items of a resource's records that the page touches, each with its place in the order."""
    touched = _touched(resource, page)
    model = resource.queryset.model
    keys = dict(model._base_manager.filter(pk__in=touched).values_list("pk", resource.key))
    records = records_by_id(resource, touched, asked, question.told())
    for row_id, revisions in touched.items():
        own = [revision for revision in revisions if revision.table == model._meta.db_table]
        # Of what has gone since, the keys that it had are taken out at once: a later page knows only the last one.
        key = keys.get(row_id) or next(reversed(_keys(own)), None)
        if key:
            event = _event(own, row_id in keys, row_id in records)
            last = revisions[-1]
            yield (
                (last.change.moment, last.pk, resource.collection, row_id),
                {
                    "collection": resource.collection,
                    "key": key,
                    "previous_keys": [old for old in _keys(own) if old != key],
                    "url": f"{question.root}{resource.collection}/{key}/",
                    "event": {"code": event.value, "label": event.label},
                    "changes": _changes(revisions),
                    "record": orjson.Fragment(records[row_id]) if row_id in records else None,
                },
            )


def _event(own: list[Revision], is_there: bool, is_asked: bool) -> FeedEvent:
    if not is_there:
        return FeedEvent.DELETED
    if not is_asked:
        return FeedEvent.LEFT
    return FeedEvent.CREATED if any(revision.before is None for revision in own) else FeedEvent.CHANGED


def _keys(own: Iterable[Revision]) -> list[str]:
    rows = (row for revision in own for row in (revision.before, revision.after) if row)
    return list(dict.fromkeys(next(row[name] for name in KEYS if name in row) for row in rows))


def _changes(revisions: list[Revision]) -> list[dict[str, Any]]:
    tables: dict[Change, list[str]] = {}
    for revision in revisions:
        tables.setdefault(revision.change, []).append(str(model_of(revision.table)._meta.verbose_name))
    return [
        {
            "moment": clock.shown(change.moment),
            "kind": {"code": change.kind, "label": change.get_kind_display()},
            "reason": change.reason or None,
            "rows": list(dict.fromkeys(names)),
        }
        for change, names in tables.items()
    ]


def _touched(resource: type[Resource], page: list[Revision]) -> dict[int, list[Revision]]:
    """The records of a resource that the page's revisions touch, by their ids, with these revisions in their order."""
    by_table: dict[str, list[Revision]] = {}
    for revision in page:
        by_table.setdefault(revision.table, []).append(revision)
    model = resource.queryset.model
    found: dict[int, dict[int, Revision]] = {}
    for revision in by_table.get(model._meta.db_table, ()):
        found.setdefault(revision.row_id, {})[revision.pk] = revision
    for dependency in _dependencies(resource):
        for row_id, revision in _reached(model, dependency, by_table.get(dependency.model._meta.db_table, [])):
            found.setdefault(row_id, {})[revision.pk] = revision
    own = {revision.row_id for revision in by_table.get(model._meta.db_table, ())}
    # A row that was restored was born more than once.
    for row_id in set(_born_later(model, found.keys() - own, page)):
        del found[row_id]
    order = {revision.pk: place for place, revision in enumerate(page)}
    return {row_id: sorted(rows.values(), key=lambda row: order[row.pk]) for row_id, rows in found.items()}


def _reached(
    model: type[models.Model], dependency: Dependency, revisions: list[Revision]
) -> Iterator[tuple[int, Revision]]:
    """The ids of the records that show the rows of these revisions, before or after them."""
    by_id: dict[int, list[Revision]] = {}
    for revision in revisions:
        if isinstance(dependency, Owned):
            rows = (row for row in (revision.before, revision.after) if row)
            owners = {row[dependency.column] for row in rows if row[dependency.column]}
        else:
            owners = {revision.row_id}
        for owner in owners:
            by_id.setdefault(owner, []).append(revision)
    path = dependency.owner if isinstance(dependency, Owned) else dependency.path
    if not path:
        pairs: Iterable[tuple[int, int]] = ((owner, owner) for owner in by_id)
    elif by_id:
        pairs = model._base_manager.filter(**{f"{path}__in": by_id}).order_by().values_list("pk", path)
    else:
        pairs = ()
    return ((row_id, revision) for row_id, owner in pairs for revision in by_id.get(owner, ()))


def _born_later(model: type[models.Model], ids: Collection[int], page: list[Revision]) -> list[int]:
    """Those that are only made after this page (again, if they were there before): they come then, with all they show."""
    if not page or not ids:
        return []
    later = revisions_after(position_of(page[-1]))
    return list(
        later.filter(table=model._meta.db_table, row_id__in=ids, before__isnull=True).values_list("row_id", flat=True)
    )


@cache
def _dependencies(resource: type[Resource]) -> tuple[Dependency, ...]:
    return dependencies(resource.detail_serializer_class())
