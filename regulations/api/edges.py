"""How records hang together: each kind of edge between two records, read off the models.

A foreign key from record to record is an edge, and so is a row of a table between two records.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.db import models
from django.db.models import F, Q, QuerySet, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast

from kbase.reading.fields import ON
from regulations.api.records import BY_MODEL, KINDS, RecordKind, label_of
from regulations.models import (
    Appointment,
    Citation,
    CompanyIdentifier,
    CompanyRelation,
    EventOrganiser,
    Membership,
    Mention,
    PolicyRegulator,
    PolicyRelation,
    SourceRelation,
)
from regulations.models.base import span_covers
from regulations.models.citations import CITABLE
from regulations.models.sources import MENTIONABLE

TEXT = models.TextField()
BODIES = ("regulator", "organisation", "company")


@dataclass(frozen=True)
class EdgeKind:
    """A kind of edge, read as a sentence: the record at `start` is, or has, `kind` the record at `end`.

    model: whose rows are the edges. start_at, end_at: the columns with the ids of the two records.
    coded_by: the field whose word is the kind; if there is none, kind and label are the same for all.
    """

    model: type[models.Model]
    start: RecordKind
    start_at: str
    end: RecordKind
    end_at: str
    kind: str = ""
    label: str = ""
    coded_by: str = ""

    @property
    def has_span(self) -> bool:
        """Whether it holds over a span of days."""
        return not BY_MODEL.get(self.model) and any(f.name == "valid_from" for f in self.model._meta.get_fields())

    def rows(self, is_dated: bool) -> QuerySet:
        """The edges; if a day is asked about by name, those that hold on it."""
        known = Q(**{f"{self.start_at}__isnull": False, f"{self.end_at}__isnull": False})
        return self.model._base_manager.order_by().filter(
            known & span_covers(ON) if is_dated and self.has_span else known
        )

    def told(self) -> list[Combinable]:
        """The kind, its label, and the span."""
        missing = Cast(Value(None), models.DateField())
        span = [F("valid_from"), F("valid_until")] if self.has_span else [missing, missing]
        if not self.coded_by:
            return [Value(self.kind, TEXT), Value(self.label, TEXT), *span]
        choices = dict(self.model._meta.get_field(self.coded_by).flatchoices)
        return [F(self.coded_by), label_of(choices, self.coded_by), *span]


def _of_records() -> Iterator[EdgeKind]:
    """The foreign keys from record to record, and the plain relations of many to many."""
    for kind in KINDS:
        for field in kind.model._meta.get_fields():
            target = BY_MODEL.get(field.related_model) if field.is_relation and not field.auto_created else None
            if target and field.many_to_one:
                yield EdgeKind(kind.model, kind, "pk", target, field.attname, field.name, _label(field.name))
            elif target and field.remote_field.through._meta.auto_created:
                here, there = f"{field.m2m_field_name()}_id", f"{field.m2m_reverse_field_name()}_id"
                yield EdgeKind(field.remote_field.through, kind, here, target, there, field.name, _label(field.name))


def _between(model: type[models.Model], starts: Iterable[str], ends: Iterable[str], **told: str) -> Iterator[EdgeKind]:
    """The edges that are rows of a table of their own, between each of some foreign keys and each of others."""
    for start in starts:
        for end in ends:
            one, other = model._meta.get_field(start), model._meta.get_field(end)
            kinds = BY_MODEL.get(one.related_model), BY_MODEL.get(other.related_model)
            if kinds[0] and kinds[1]:
                yield EdgeKind(model, kinds[0], one.attname, kinds[1], other.attname, **told)


def _label(name: str) -> str:
    return name.replace("_", " ").capitalize()


EDGES = (
    *_of_records(),
    *_between(PolicyRegulator, ["policy"], ["regulator"], coded_by="role"),
    *_between(PolicyRelation, ["policy"], ["target"], coded_by="kind"),
    *_between(CompanyIdentifier, ["company"], ["jurisdiction"], coded_by="scheme"),
    *_between(CompanyRelation, ["company"], ["target"], coded_by="kind"),
    *_between(Membership, ["member"], ["bloc"], kind="member_of", label="Member of"),
    *_between(Appointment, ["person"], BODIES, kind="office_at", label="Holds or held an office at"),
    *_between(EventOrganiser, ["event"], BODIES, kind="organised_by", label="Organised by"),
    *_between(SourceRelation, ["source"], ["target"], kind="more_to_read", label="More to read"),
    *_between(Mention, ["source"], MENTIONABLE, kind="mentions", label="Mentions"),
    *_between(Citation, CITABLE, ["source"], kind="rests_on", label="Rests on"),
)
