"""The history of each record: what we said of it before, since when, and why we say otherwise."""

from typing import Any, ClassVar

from rest_framework import serializers

from kbase.reading import clock
from kbase.reading.dependencies import Owned, dependencies
from kbase.reading.fields import Code
from kbase.reading.resources import Resource
from kbase.reading.views import AnswerSerializer, Question, QuestionView, a_number
from regulations.models import Change
from regulations.models.history import Action, RecordedChange, RowChange, Said, changes_of, recorded, revisions_of

PAGE_SIZE = 20
LARGEST_PAGE = 100
LAST_PAGE = 10_000


class SaidSerializer(serializers.Serializer):
    """What a field said."""

    value = serializers.CharField(help_text="As it is asked for: a key, a code, a day, a text.")
    label = serializers.CharField(help_text="As people read it.")


class FieldChangeSerializer(serializers.Serializer):
    """What one field said before and after."""

    name = serializers.CharField(help_text="The field.")
    label = serializers.CharField(help_text="The field as people read it.")
    before = SaidSerializer(allow_null=True, help_text="What it said before; null for nothing.")
    after = SaidSerializer(allow_null=True, help_text="What it said after; null for nothing.")


class RowChangeSerializer(serializers.Serializer):
    """What was done to the record itself, or to a row that belongs to it."""

    row = serializers.CharField(help_text="What kind of row it is, such as milestone.")
    key = serializers.CharField(allow_null=True, help_text="Its key, where it has one.")
    title = serializers.CharField(allow_null=True, help_text="Its name or title, where it has one.")
    action = Code(Action.choices, help_text="What was done to it.")
    fields = FieldChangeSerializer(many=True, help_text="The fields that say something else than before.")


class RecordedChangeSerializer(serializers.Serializer):
    """A change of our records."""

    moment = serializers.DateTimeField(help_text="When it was made.")
    kind = Code(Change.Kind.choices, described_as="ChangeKind", help_text="What kind of change it is.")
    reason = serializers.CharField(allow_null=True, help_text="Why it was made; null if that was not stated.")
    rows = RowChangeSerializer(many=True, help_text="What was done to each row.")


class HistorySerializer(AnswerSerializer):
    """The changes of a record and of what belongs to it, the newest first."""

    collection = serializers.CharField(help_text="The record's collection.")
    key = serializers.CharField(help_text="The key by which it was asked for.")
    is_gone = serializers.BooleanField(help_text="Whether the record was taken out.")
    count = serializers.IntegerField(help_text="How many changes there are.")
    next = serializers.URLField(allow_null=True, help_text="The address of the changes before these.")
    results = RecordedChangeSerializer(many=True)


class HistoryView(QuestionView):
    """What we said of a record and when: each change with its kind and reason, field by field.

    A record that was taken out, or has another key now, keeps its history under its old key.
    """

    resource: ClassVar[type[Resource] | None] = None
    name = "history"
    answer_class = HistorySerializer
    parameters: ClassVar = {
        "page": a_number(1, LAST_PAGE, "The number of the page.", default=1),
        "page_size": a_number(1, LARGEST_PAGE, "How many changes a page has.", default=PAGE_SIZE),
    }

    @classmethod
    def of(cls, resource: type[Resource]) -> Any:
        """The view of the history of a resource's records."""
        return cls.as_view(resource=resource, name=f"history of {resource.collection.replace('-', ' ')}")

    def answer(self, question: Question) -> dict[str, Any]:
        key, page, size = question.path["key"], question.values["page"], question.values["page_size"]
        model = self.resource.queryset.model
        row_id, is_gone = self._found(key)
        owned = _owned(self.resource)
        revisions = revisions_of(model, row_id, owned)
        changes = changes_of(revisions, question.known_at)
        count = changes.count()
        shown = changes[(page - 1) * size : page * size]
        path = f"{self.resource.collection}/{key}/history/"
        hidden = {column for columns in owned.values() for column in columns}
        return {
            "collection": self.resource.collection,
            "key": key,
            "is_gone": is_gone,
            "count": count,
            "next": question.address(path, page=str(page + 1)) if count > page * size else None,
            "results": [_change_json(change) for change in recorded(shown, revisions, hidden)],
        }

    def _found(self, key: str) -> tuple[int, bool]:
        """The id of the row with this key, or of the one that had it last, and whether that was taken out.

        Raises NotFound if there never was one.
        """
        rows = self.resource.queryset.order_by().filter(**{self.resource.key: key}).values_list("pk", flat=True)
        if "\x00" not in key:
            if found := rows.first():
                return found, False
            if past := clock.past_of(self.resource.queryset.model._meta.db_table, key):
                return past.row_id, past.gone_at is not None
        raise self.resource.not_found(key)


def _owned(resource: type[Resource]) -> dict[str, list[str]]:
    """By table, the columns that name the record to which rows belong."""
    found: dict[str, list[str]] = {}
    for dependency in dependencies(resource.detail_serializer_class()):
        if isinstance(dependency, Owned) and not dependency.owner:
            found.setdefault(dependency.model._meta.db_table, []).append(dependency.column)
    return found


def _change_json(change: RecordedChange) -> dict[str, Any]:
    return {
        "moment": clock.shown(change.moment),
        "kind": {"code": change.kind.value, "label": change.kind.label},
        "reason": change.reason or None,
        "rows": [_row_json(row) for row in change.rows],
    }


def _row_json(row: RowChange) -> dict[str, Any]:
    return {
        "row": row.row,
        "key": row.key,
        "title": row.title,
        "action": {"code": row.action.value, "label": row.action.label},
        "fields": [
            {"name": field.name, "label": field.label, "before": _said(field.before), "after": _said(field.after)}
            for field in row.fields
        ],
    }


def _said(said: Said | None) -> dict[str, str] | None:
    return None if said is None else {"value": said.value, "label": said.label}
