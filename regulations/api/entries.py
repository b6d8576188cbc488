"""The entries of the timeline: all dated steps in order, past and coming, as one list over many models."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Exists, ExpressionWrapper, F, Func, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.expressions import Combinable, Expression
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Coalesce
from django.db.models.lookups import Exact, GreaterThan, LessThan

from kbase.reading.expressions import CountOf, JsonArray, JsonChoice, JsonLiteral, JsonObject, Param
from kbase.reading.fields import CODE_PARTS, KNOWN_AT, ON, project
from kbase.reading.problems import BadRequest, Fault
from kbase.reading.statements import Statement, compile_statement, counting
from kbase.reading.unions import Outer, beside, first_rows, union
from kbase.reading.views import Question
from regulations.api.records import BY_MODEL, joined
from regulations.api.refs import CompanyRef, JurisdictionRef, PolicyRef
from regulations.api.steps import STEPS, Step
from regulations.models import Revision
from regulations.models.base import DatePrecision
from regulations.models.jurisdictions import law_reaches_q
from regulations.models.revisions import RevisionQuerySet

IDS = ArrayField(models.BigIntegerField())
DAY, PLACE, ROW = models.DateField(), models.IntegerField(), models.BigIntegerField()
KNOWN = Cast(KNOWN_AT, models.DateTimeField())
RELATED = ("jurisdiction", "topic", "policy", "company")
# The related records that an entry shows: by which name they are related, and as what.
SHOWN = {
    "jurisdictions": ("jurisdiction", JurisdictionRef),
    "policies": ("policy", PolicyRef),
    "companies": ("company", CompanyRef),
}


@dataclass(frozen=True)
class Shape:
    """Which steps are asked for, as far as it shapes statements. None or nothing: all.

    related: the names of what they have to be about. is_coming: after the day that is asked about, or not.
    """

    kinds: tuple[str, ...]
    collections: tuple[str, ...]
    related: tuple[str, ...]
    has_from: bool
    has_until: bool
    has_applies_in: bool
    is_coming: bool | None


@dataclass(frozen=True)
class Window:
    """Which of the steps: so many, in this order, and whether after one that a cursor remembers.

    by_change: those first whose rows were changed last.
    """

    size: int
    is_descending: bool = False
    is_resumed: bool = False
    by_change: bool = False


def shape_of(question: Question) -> Shape:
    """The shape of the question's filters.

    Raises BadRequest for a span of days that has none.
    """
    values = question.values
    if values["from"] and values["until"] and values["from"] >= values["until"]:
        detail = "until is the first day no longer asked for; it must come after from."
        raise BadRequest([Fault("until", "contradictory", detail)])
    return Shape(
        kinds=tuple(values["kind"] or ()),
        collections=tuple(values["collection"] or ()),
        related=tuple(name for name in RELATED if values[name]),
        has_from=values["from"] is not None,
        has_until=values["until"] is not None,
        has_applies_in=values["applies_in"] is not None,
        is_coming=values["coming"],
    )


def count(question: Question, shape: Shape) -> int:
    """How many steps there are, exactly."""
    statement = _count_statement(shape)
    return int(statement.rows(_told(question))[0][0]) if statement else 0


def entries(question: Question, shape: Shape, window: Window, after: Any = None) -> list[tuple[Any, ...]]:
    """The steps of a window, each as its date, its place, its row's id, and its JSON.

    after: the first three of the step to resume after.
    """
    statement = _page_statement(shape, window)
    return statement.rows({**_told(question), "after": after}) if statement else []


def _told(question: Question) -> dict[str, Any]:
    return question.told(**{f"asked_{name}": value for name, value in question.values.items()})


@lru_cache(1000)
def _count_statement(shape: Shape) -> Statement | None:
    parts = [compile_statement(rows.values("pk")) for rows in _rows(shape).values()]
    return counting(union(parts)) if parts else None


@lru_cache(1000)
def _page_statement(shape: Shape, window: Window) -> Statement | None:
    """The steps of a window: where they stand first, then the rendering of just these."""
    found = _rows(shape)
    if not found:
        return None
    places = union(_first_of(place, rows, window) for place, rows in found.items())
    page = first_rows(places, "sorted,place,row_id", window.size, is_descending=window.is_descending)
    sign = " DESC" if window.is_descending else ""
    return beside(
        page,
        (compile_statement(_rendered(place)) for place in found),
        f"page.sorted{sign}, page.place{sign}, page.row_id{sign}",
    )


def _rows(shape: Shape) -> dict[int, QuerySet]:
    """The rows that have a step that is asked for, by the step's place among all."""
    found = {place: _matching(step, shape) for place, step in enumerate(STEPS)}
    return {place: rows for place, rows in found.items() if rows is not None}


def _matching(step: Step, shape: Shape) -> QuerySet | None:
    """The rows of the step's model that meet the filters; None where none can."""
    kinds = [kind for kind in step.kinds if not shape.kinds or kind in shape.kinds]
    is_elsewhere = shape.collections and step.record.collection not in shape.collections
    lacks = set(shape.related) - step.related.keys() or (shape.has_applies_in and not step.law)
    if not kinds or is_elsewhere or lacks:
        return None
    rows = step.model._base_manager.order_by().filter(**{f"{step.date}__isnull": False})
    if len(kinds) < len(step.kinds):
        rows = rows.filter(**{f"{step.coded_by}__in": [kind.removeprefix(step.prefix) for kind in kinds]})
    for name in shape.related:
        rows = rows.filter(Exists(step.related[name]().filter(pk__any_of=Param(f"asked_{name}", IDS))))
    return rows.filter(_dated(step, shape))


def _dated(step: Step, shape: Shape) -> Q:
    """The condition on the date, and on whose law it is on the day asked about."""
    condition = Q()
    if shape.has_from:
        condition &= Q(**{f"{step.date}__gte": Param("asked_from", DAY)})
    if shape.has_until:
        condition &= Q(**{f"{step.date}__lt": Param("asked_until", DAY)})
    if shape.is_coming is not None:
        condition &= Q(**{f"{step.date}__{'gt' if shape.is_coming else 'lte'}": ON})
    if shape.has_applies_in:
        condition &= law_reaches_q(str(step.law), Q(pk__any_of=Param("asked_applies_in", IDS)), ON)
    return condition


def _first_of(place: int, rows: QuerySet, window: Window) -> Statement:
    """The first steps of one kind: more than the window's size are never needed."""
    step = STEPS[place]
    ordered: Combinable = _changed(step) if window.by_change else F(step.date)
    if window.is_resumed:
        rows = rows.filter(_after(step, place, window))
    sign = "-" if window.is_descending else ""
    rows = rows.annotate(sorted=ordered).order_by(f"{sign}sorted", f"{sign}pk")
    return compile_statement(rows.values_list("sorted", Value(place), "pk")[: window.size])


def _after(step: Step, place: int, window: Window) -> Q:
    """The steps of one kind that come after the one whose date, place and row are the items of `after`."""
    beyond = LessThan if window.is_descending else GreaterThan
    day, at, row = Param("after", DAY, 0), Param("after", PLACE, 1), Param("after", ROW, 2)
    here = Value(place, PLACE)
    later_row = Q(Exact(here, at)) & Q(beyond(F("pk"), row))
    same_day = Q(Exact(F(step.date), day)) & (Q(beyond(here, at)) | later_row)
    return Q(beyond(F(step.date), day)) | same_day


def _rendered(place: int) -> QuerySet:
    """The step at this place of the row that it stands beside, as JSON."""
    step = STEPS[place]
    rows = step.model._base_manager.order_by().filter(Exact(Outer("place", PLACE), Value(place)))
    return rows.filter(pk=Outer("row_id", ROW)).values_list(_json(step))


def _json(step: Step) -> JsonObject:
    precision = F(step.precision) if step.precision else Value(DatePrecision.DAY.value)
    return JsonObject(
        uid=_uid(step),
        date=F(step.date),
        date_precision=JsonChoice(precision, dict(DatePrecision.choices), CODE_PARTS),
        kind=_kind(step),
        title=step.titled(),
        is_coming=ExpressionWrapper(Q(**{f"{step.date}__gt": ON}), models.BooleanField()),
        record=step.record.line(step.path),
        **{name: _shown(step, name) for name in SHOWN},
        moved_count=_moved_count(step),
        changed_at=_in_utc(_changed(step)),
    )


def _kind(step: Step) -> Expression:
    if step.coded_by:
        return JsonChoice(joined(step.prefix, F(step.coded_by)), step.kinds, CODE_PARTS)
    [(code, label)] = step.kinds.items()
    return JsonLiteral({"code": code, "label": label})


def _shown(step: Step, name: str) -> Expression:
    """The small objects of the related records of one kind, by their keys."""
    singular, small = SHOWN[name]
    if singular not in step.related:
        return JsonLiteral([])
    key = BY_MODEL[small.Meta.model].key
    return JsonArray(step.related[singular]().order_by(key).values_list(project(small())))


def _uid(step: Step) -> Func:
    """A UUID that neither a new date nor a new key of the record changes: it is made of the key that it had first."""
    record = step.record
    born = Revision.objects.of(record.model, OuterRef(f"{step.path}pk")).filter(after__isnull=False)
    first_key = Subquery(born.order_by("pk").values_list(KeyTextTransform(record.key, "after"))[:1])
    key = Coalesce(first_key, f"{step.path}{record.key}", output_field=models.TextField())
    row = Cast(F("pk"), models.TextField())
    name = joined(record.collection, "/", key, f"/{step.model._meta.model_name}/", row, f"/{step.date}")
    return Func(name, template="md5(%(expressions)s)::uuid", output_field=models.UUIDField())


def _moved_count(step: Step) -> CountOf:
    """How often the date, or how exactly it is known, was changed."""
    columns = [step.date, *([step.precision] if step.precision else [])]
    return CountOf(_revisions(step).altering(columns).values("pk"))


def _changed(step: Step) -> Subquery:
    """When the row was changed last."""
    return Subquery(_revisions(step).order_by("-pk").values("change__moment")[:1])


def _revisions(step: Step) -> RevisionQuerySet:
    return Revision.objects.of(step.model, OuterRef("pk")).known_by(KNOWN).order_by()


def _in_utc(moment: Expression) -> Func:
    template = """to_char(%(expressions)s AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""
    return Func(moment, template=template, output_field=models.TextField())
