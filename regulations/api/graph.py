"""A record's neighbourhood: the records within some steps of it, and how they hang together."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Value
from django.http import HttpResponseBase
from rest_framework import serializers

from kbase.reading.expressions import Param
from kbase.reading.problems import NotFound, unknown
from kbase.reading.resources import Resource
from kbase.reading.statements import Statement, compile_statement
from kbase.reading.unions import union
from kbase.reading.views import AnswerSerializer, Question, QuestionView, a_number, some_words
from regulations.api.edges import EDGES, EdgeKind
from regulations.api.records import (
    BY_COLLECTION,
    IDS,
    KINDS,
    RecordKind,
    RecordLineSerializer,
    ids_at,
    ids_by_place,
    lines,
)

# More cannot be drawn, nor looked over.
MOST_NODES = 500
DEEPEST = 3

# A node: the place of its kind among all, and its row's id.
Node = tuple[int, int]


@dataclass
class Found:
    """What a search has come to: the depth of each node, in the order of finding, and how many did not fit in."""

    depths: dict[Node, int] = field(default_factory=dict)
    left_out: int = 0

    def ids(self, depth: int | None = None) -> dict[int, list[int]]:
        """The ids of the nodes, or of those at a depth, by the place of their kind."""
        found = defaultdict(list)
        for (place, row_id), at in self.depths.items():
            if depth is None or at == depth:
                found[place].append(row_id)
        return found


def explore(root: Node, deepest: int, allowed: frozenset[int], question: Question) -> Found:
    """The records within so many steps of the root, nearest first, until they are too many.

    allowed: the places of the kinds of records to go to.
    Where not all neighbours fit in, the kinds take turns, each with its oldest records, and nothing lies beyond.
    """
    found = Found({root: 0})
    for depth in range(1, deepest + 1):
        frontier = found.ids(depth - 1)
        statement = _neighbours(frozenset(frontier), allowed, question.is_dated)
        if not statement:
            break
        seen, room = list(found.depths), MOST_NODES - len(found.depths)
        values = {"seen_places": [place for place, _ in seen], "seen_ids": [row_id for _, row_id in seen]}
        # One more than there is room for, as each row tells how many there are in all.
        rows = statement.rows(question.told(**values, **ids_by_place(frontier), room=room + 1))
        found.depths |= {(place, row_id): depth for place, row_id, _ in rows[:room]}
        found.left_out = rows[0][2] - len(rows[:room]) if rows else 0
        if found.left_out or not rows:
            break
    return found


@lru_cache(1000)
def _neighbours(frontier: frozenset[int], allowed: frozenset[int], is_dated: bool) -> Statement | None:
    """The nodes next to those of the frontier's kinds that were not seen yet, and how many there are in all."""
    parts = [compile_statement(rows) for edge in EDGES for rows in _steps(edge, frontier, allowed, is_dated)]
    if not parts:
        return None
    every = union(parts)
    names = ("seen_places", ArrayField(models.IntegerField())), ("seen_ids", IDS), ("room", models.BigIntegerField())
    seen_places, seen_ids, room = (Param(name, kind) for name, kind in names)
    sql = (
        f"WITH new AS (SELECT DISTINCT place, row_id FROM ({every.sql}) AS every (place, row_id)"  # noqa: S608 (compiled by the ORM)
        " EXCEPT SELECT * FROM unnest(%s::integer[], %s::bigint[]))"
        ", numbered AS (SELECT place, row_id, row_number() OVER (PARTITION BY place ORDER BY row_id) AS turn FROM new)"
        " SELECT place, row_id, (SELECT count(*) FROM new) FROM numbered ORDER BY turn, place LIMIT %s::bigint"
    )
    return Statement(sql, (*every.params, seen_places, seen_ids, room))


def _steps(edge: EdgeKind, frontier: frozenset[int], allowed: frozenset[int], is_dated: bool) -> Iterable[Any]:
    """The queries that go along the edges of a kind, in both directions, as far as they begin and end where they may."""
    for here, here_at, there, there_at in (
        (edge.start, edge.start_at, edge.end, edge.end_at),
        (edge.end, edge.end_at, edge.start, edge.start_at),
    ):
        if KINDS.index(here) in frontier and KINDS.index(there) in allowed:
            rows = edge.rows(is_dated).filter(**{f"{here_at}__any_of": ids_at(KINDS.index(here))})
            yield rows.values_list(Value(KINDS.index(there)), there_at)


@lru_cache(1000)
def _edges_among(places: frozenset[int], is_dated: bool) -> Statement | None:
    """The edges between records of these kinds with these ids."""
    parts = []
    for edge in EDGES:
        start, end = KINDS.index(edge.start), KINDS.index(edge.end)
        if {start, end} <= places:
            rows = edge.rows(is_dated).filter(
                **{f"{edge.start_at}__any_of": ids_at(start), f"{edge.end_at}__any_of": ids_at(end)}
            )
            ends = Value(start), F(edge.start_at), Value(end), F(edge.end_at)
            parts.append(compile_statement(rows.values_list(*ends, *edge.told())))
    return union(parts) if parts else None


class NodeSerializer(RecordLineSerializer):
    """A record of the neighbourhood."""

    id = serializers.CharField(help_text="Collection and key, by which edges name it.")
    depth = serializers.IntegerField(help_text="How many steps it is away from the record that is asked about.")


class EdgeSerializer(serializers.Serializer):
    """How two records hang together, read as a sentence from the one to the other."""

    kind = serializers.CharField(help_text="What the one is to the other, or has in it.")
    label = serializers.CharField(help_text="The kind, as people read it.")
    since = serializers.DateField(allow_null=True, help_text="The first day; null if there is none, or none known.")
    until = serializers.DateField(allow_null=True, help_text="The first day on which it held no longer.")

    def get_fields(self) -> dict[str, serializers.Field]:
        ends = {"from": "The node that it leads from.", "to": "The node that it leads to."}
        return {name: serializers.CharField(help_text=text) for name, text in ends.items()} | super().get_fields()


class GraphSerializer(AnswerSerializer):
    """The neighbourhood of a record."""

    root = serializers.CharField(help_text="The node that is asked about.")
    is_complete = serializers.BooleanField(help_text="Whether all that was asked for is there.")
    left_out = serializers.IntegerField(
        help_text="How many records did not fit in at the depth where there were too many; none lies beyond it."
    )
    nodes = NodeSerializer(many=True, help_text="The records, the nearest first.")
    edges = EdgeSerializer(many=True, help_text="All edges between these records.")


class GraphView(QuestionView):
    """The records within some steps of a record, 500 at most, and all edges between them. With `on`, only the relations
    that hold on that day."""

    name = "graph"
    parameters = {
        "depth": a_number(1, DEEPEST, "How many steps to go.", default=1),
        "collection": some_words(tuple(BY_COLLECTION), "The collections to go to; all if left out."),
    }
    answer_class = GraphSerializer

    leads_on = True

    def answer(self, question: Question) -> Mapping[str, Any] | HttpResponseBase:
        kind, key = _kind(question.path["collection"]), question.path["key"]
        row_id = _row_id(kind, key)
        if row_id is None:
            return _resource(kind).moved(self.request, key)
        root = (KINDS.index(kind), row_id)
        collections = question.values["collection"] or BY_COLLECTION
        allowed = frozenset(KINDS.index(BY_COLLECTION[name]) for name in collections)
        found = explore(root, question.values["depth"], allowed, question)
        nodes = _nodes(found, question)
        return {
            "root": nodes[root]["id"],
            "is_complete": not found.left_out,
            "left_out": found.left_out,
            "nodes": list(nodes.values()),
            "edges": _edges(found, nodes, question),
        }


def _kind(collection: str) -> RecordKind:
    if collection not in BY_COLLECTION:
        nearest = unknown("", "collection", collection, BY_COLLECTION).nearest
        raise NotFound(f"There is no collection “{collection[:100]}”.", nearest)
    return BY_COLLECTION[collection]


def _resource(kind: RecordKind) -> type[Resource]:
    return next(each for each in Resource.__subclasses__() if each.collection == kind.collection)


def _row_id(kind: RecordKind, key: str) -> int | None:
    """The id of the record with this key; None if there is none. PostgreSQL has no NUL in its texts."""
    rows = kind.model._base_manager.filter(**{kind.key: key})
    return None if "\x00" in key else rows.values_list("pk", flat=True).first()


def _nodes(found: Found, question: Question) -> dict[Node, dict[str, Any]]:
    """The nodes as they are answered, by depth, kind and key."""
    ids = found.ids()
    rows = lines(frozenset(ids)).rows(ids_by_place(ids))
    ordered = sorted(rows, key=lambda row: (found.depths[row[0], row[1]], row[0], row[2]))
    return {
        (place, row_id): {
            "id": f"{KINDS[place].collection}/{key}",
            **KINDS[place].answered(key, title, question.root),
            "depth": found.depths[place, row_id],
        }
        for place, row_id, key, title in ordered
    }


def _edges(found: Found, nodes: Mapping[Node, Mapping[str, Any]], question: Question) -> list[dict[str, Any]]:
    """The edges as they are answered, each once, by their ends."""
    ids = found.ids()
    statement = _edges_among(frozenset(ids), question.is_dated)
    rows = statement.rows(question.told(**ids_by_place(ids))) if statement else []
    told = {
        (nodes[start, start_id]["id"], nodes[end, end_id]["id"], kind, label, since, until)
        for start, start_id, end, end_id, kind, label, since, until in rows
    }
    names = ("from", "to", "kind", "label", "since", "until")
    return [dict(zip(names, edge, strict=True)) for edge in sorted(told, key=lambda edge: [str(part) for part in edge])]
