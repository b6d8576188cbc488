"""The history of a record: what each change did to its row and to the rows that belong to it, field by field."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache, reduce
from operator import or_
from typing import Any

from django.apps import apps
from django.db import connection, models
from django.db.models import Case, DateTimeField, F, Q, QuerySet, When
from django.db.models.functions import Now

from regulations.models.revisions import Change, Revision

# What a row is known by, where its model has it.
KEYS = ("slug", "code", "key")
NAMES = ("name", "title")


class Action(models.TextChoices):
    """What was done to a row."""

    ADDED = "added", "Added"
    CHANGED = "changed", "Changed"
    REMOVED = "removed", "Removed"


@dataclass(frozen=True)
class Said:
    """What a field said: the value as it is asked for (a key, a code, a day), and as people read it."""

    value: str
    label: str


@dataclass(frozen=True)
class FieldChange:
    """What one field said before and after; None where it said nothing."""

    name: str
    label: str
    before: Said | None
    after: Said | None


@dataclass(frozen=True)
class RowChange:
    """What was done to one row: of which kind it is, its key and its name where it has such."""

    row: str
    key: str | None
    title: str | None
    action: Action
    fields: list[FieldChange]


@dataclass(frozen=True)
class RecordedChange:
    """A change of our records: its moment, its kind, why it was made, and what was done to each row."""

    moment: datetime
    kind: Change.Kind
    reason: str
    rows: list[RowChange]


def made_by(moment: datetime | None, path: str = "") -> Q:
    """The changes that had been made by a moment; None is now. path: leads to the change, such as `change__`.

    A change without a moment is not committed yet, and so seen by nobody but the one who makes it.
    """
    return Q() if moment is None else Q(**{f"{path}moment__lte": moment})


def revisions_of(model: type[models.Model], row_id: int, owned: Mapping[str, Collection[str]]) -> QuerySet[Revision]:
    """The revisions of a row and of the rows that belong to it.

    owned: by table, the columns that name the row to which its rows belong.
    """
    found = Q(table=model._meta.db_table, row_id=row_id)
    for table, ids in _ever_naming(row_id, owned).items():
        columns = owned[table]
        owner = [Q(**{f"{side}__{column}": row_id}) for side in ("before", "after") for column in columns]
        # Found by their ids; of those, the changes while they belonged to the row.
        found |= Q(table=table, row_id__in=ids) & reduce(or_, owner)
    return Revision.objects.filter(found)


def _ever_naming(row_id: int, owned: Mapping[str, Collection[str]]) -> dict[str, list[int]]:
    """By table, the ids of the rows that belong to a row, or did at any time."""
    pairs = [(table, column) for table, columns in owned.items() for column in columns]
    with connection.cursor() as cursor:
        cursor.execute(
            'SELECT owned."table", array_agg(id) FROM unnest(%s::text[], %s::text[]) AS owned ("table", owner)'
            ' CROSS JOIN as_known.ever_naming(owned."table", owner, %s) AS id GROUP BY owned."table"',
            [[table for table, _ in pairs], [column for _, column in pairs], row_id],
        )
        return dict(cursor.fetchall())


def changes_of(revisions: QuerySet[Revision], moment: datetime | None) -> QuerySet[Change]:
    """The changes that these revisions are part of, made by a moment, the newest first."""
    in_changes = revisions.order_by().values("change")
    return Change.objects.filter(made_by(moment), pk__in=in_changes).order_by(F("moment").desc(nulls_first=True), "-pk")


def recorded(changes: QuerySet[Change], revisions: QuerySet[Revision], hidden: Collection[str]) -> list[RecordedChange]:
    """What these changes did, in their order. hidden: columns that only say to which record a row belongs."""
    dated = changes.annotate(
        made_at=Case(When(moment__isnull=True, then=Now()), default=F("moment"), output_field=DateTimeField())
    )
    found = list(dated)
    parts: dict[int, list[Revision]] = {change.pk: [] for change in found}
    for revision in revisions.filter(change__in=[*parts]).order_by("pk"):
        parts[revision.change_id].append(revision)
    names = _names(revision for rows in parts.values() for revision in rows)
    return [
        RecordedChange(
            change.made_at,
            Change.Kind(change.kind),
            change.reason,
            [_row_change(revision, names, hidden) for revision in parts[change.pk]],
        )
        for change in found
    ]


Names = Mapping[tuple[type[models.Model], int], Said]


def _row_change(revision: Revision, names: Names, hidden: Collection[str]) -> RowChange:
    model = model_of(revision.table)
    row = revision.after or revision.before
    action = (
        Action.CHANGED if revision.before and revision.after else Action.ADDED if revision.after else Action.REMOVED
    )
    changed = [
        FieldChange(field.name, _label(field), before, after)
        for field in _fields(model)
        if not (model._meta.auto_created and field.column in hidden)
        and (before := _said(field, (revision.before or {}).get(field.column), names))
        != (after := _said(field, (revision.after or {}).get(field.column), names))
    ]
    return RowChange(str(model._meta.verbose_name), _first(row, KEYS), _first(row, NAMES), action, changed)


def _said(field: Any, value: Any, names: Names) -> Said | None:
    if value is None or value in ("", []):
        return None
    if field.is_relation:
        return names.get((field.related_model, value)) or Said(str(value), "a record that is no longer known")
    if isinstance(value, list):
        return Said(", ".join(map(str, value)), ", ".join(map(str, value)))
    if isinstance(value, bool):
        return Said(str(value).lower(), "Yes" if value else "No")
    return Said(str(value), str(dict(field.flatchoices).get(value, value)))


def _names(revisions: Iterable[Revision]) -> Names:
    """The keys and names of all records that these revisions refer to: as they are, or as they were when they went."""
    wanted: dict[type[models.Model], set[int]] = {}
    for revision in revisions:
        for field in _fields(model_of(revision.table)):
            if field.is_relation:
                ids = {row[field.column] for row in (revision.before, revision.after) if row and row.get(field.column)}
                wanted.setdefault(field.related_model, set()).update(ids)
    return {
        (model, row_id): Said(_first(row, KEYS) or str(row_id), _first(row, NAMES) or _first(row, KEYS) or str(row_id))
        for model, ids in wanted.items()
        if ids
        for row_id, row in _rows(model, ids).items()
    }


def _rows(model: type[models.Model], ids: Collection[int]) -> dict[int, dict[str, Any]]:
    columns = [field.attname for field in model._meta.concrete_fields if field.attname in ("id", *KEYS, *NAMES)]
    found = {row["id"]: row for row in model._base_manager.filter(pk__in=ids).values(*columns)}
    if missing := set(ids) - found.keys():
        gone = Revision.objects.filter(table=model._meta.db_table, row_id__in=missing, after__isnull=True)
        found |= {revision.row_id: revision.before or {} for revision in gone.order_by("pk")}
    return found


@cache
def model_of(table: str) -> type[models.Model]:
    """The model of ours whose rows a table holds."""
    found = apps.get_app_config("regulations").get_models(include_auto_created=True)
    return next(model for model in found if model._meta.db_table == table)


@cache
def _fields(model: type[models.Model]) -> list[Any]:
    return [field for field in model._meta.concrete_fields if not field.primary_key]


def _label(field: Any) -> str:
    label = str(field.verbose_name)
    return label[:1].upper() + label[1:]


def _first(row: Mapping[str, Any] | None, names: Iterable[str]) -> str | None:
    return next((str(row[name]) for name in names if row and row.get(name)), None)
