"""Each kind of record in one line: its collection, its key, its title. What speaks of records of all kinds reads this."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Case, F, Func, TextField, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast, Coalesce, Concat
from rest_framework import serializers

from kbase.reading.expressions import Address, JsonObject, Param
from kbase.reading.fields import ROOT
from kbase.reading.statements import Statement, compile_statement
from kbase.reading.unions import union
from regulations.models import (
    Authorisation,
    Company,
    EnforcementAction,
    Event,
    Figure,
    Jurisdiction,
    Measure,
    Milestone,
    Organisation,
    Person,
    Policy,
    Regulator,
    Source,
    Stance,
    Topic,
)

IDS = ArrayField(models.BigIntegerField())

# From the path that leads to the record to the expression of its title.
Title = Callable[[str], Combinable]


def label_of(labels: Mapping[str, str], path: str) -> Case:
    """The label of the coded value at the path, among the labels by their words."""
    found = (When(**{path: word}, then=Value(label)) for word, label in labels.items())
    return Case(*found, default=Value(""), output_field=TextField())


def joined(*parts: Combinable | str) -> Concat:
    """These texts, one after the other."""
    texts = (Value(part) if isinstance(part, str) else part for part in parts)
    return Concat(*texts, output_field=TextField())


def _authorisation(path: str) -> Combinable:
    given_by = Coalesce(f"{path}regulator__name", f"{path}jurisdiction__name")
    return joined(
        F(f"{path}company__name"), ": ", label_of(dict(Authorisation.Kind.choices), f"{path}kind"), ", ", given_by
    )


def _figure(path: str) -> Combinable:
    value = Cast(Func(F(f"{path}value"), function="trim_scale"), TextField())
    return joined(F(f"{path}metric"), ": ", value, " ", F(f"{path}unit"))


def _milestone(path: str) -> Combinable:
    return joined(F(f"{path}policy__title"), ": ", label_of(dict(Milestone.Kind.choices), f"{path}kind"))


def _stance(path: str) -> Combinable:
    words = label_of(dict(Stance.Kind.choices), f"{path}stance")
    return joined(F(f"{path}jurisdiction__name"), " on ", F(f"{path}topic__name"), ": ", words)


def _column(name: str) -> Title:
    return lambda path: F(path + name)


@dataclass(frozen=True)
class RecordKind:
    """A kind of record.

    key: the name of its natural key. title: its name or headline.
    """

    collection: str
    model: type[models.Model]
    title: Title
    key: str = "slug"

    @property
    def table(self) -> str:
        """The name of its table, as revisions have it."""
        return str(self.model._meta.db_table)

    def line(self, path: str = "") -> JsonObject:
        """The record at the path as JSON: its collection, key, title and address."""
        key = F(path + self.key)
        address = Address(ROOT, self.collection, key)
        return JsonObject(collection=Value(self.collection), key=key, title=self.title(path), url=address)

    def answered(self, key: str, title: str, root: str) -> dict[str, str]:
        """The same of a record whose key and title are known. root: the address of the API."""
        url = f"{root}{self.collection}/{key}/"
        return {"collection": self.collection, "key": key, "title": title, "url": url}


KINDS = (
    RecordKind("jurisdictions", Jurisdiction, _column("name"), "code"),
    RecordKind("topics", Topic, _column("name")),
    RecordKind("regulators", Regulator, _column("name")),
    RecordKind("organisations", Organisation, _column("name")),
    RecordKind("policies", Policy, _column("title")),
    RecordKind("milestones", Milestone, _milestone, "key"),
    RecordKind("stances", Stance, _stance, "key"),
    RecordKind("companies", Company, _column("name")),
    RecordKind("authorisations", Authorisation, _authorisation, "key"),
    RecordKind("enforcement-actions", EnforcementAction, _column("title")),
    RecordKind("measures", Measure, _column("title")),
    RecordKind("people", Person, _column("name")),
    RecordKind("events", Event, _column("name")),
    RecordKind("sources", Source, _column("title")),
    RecordKind("figures", Figure, _figure, "key"),
)
BY_MODEL: Mapping[type[models.Model], RecordKind] = {kind.model: kind for kind in KINDS}
BY_COLLECTION: Mapping[str, RecordKind] = {kind.collection: kind for kind in KINDS}


def ids_at(place: int) -> Param:
    """The ids of the records of the kind at this place among all, left open."""
    return Param(f"ids_{place}", IDS)


def ids_by_place(ids: Mapping[int, list[int]]) -> dict[str, list[int]]:
    """The ids of records as statements take them."""
    return {ids_at(place).name: ids.get(place, []) for place in range(len(KINDS))}


@lru_cache(1000)
def lines(places: frozenset[int]) -> Statement:
    """The records of these kinds with some ids: the place of the kind, the id, the key, the title."""
    return union(compile_statement(_lines(place)) for place in sorted(places))


def _lines(place: int) -> models.QuerySet:
    kind = KINDS[place]
    rows = kind.model._base_manager.order_by().filter(pk__any_of=ids_at(place))
    return rows.values_list(Value(place), "pk", kind.key, kind.title(""))


class RecordLineSerializer(serializers.Serializer):
    """A record of any kind, in one line."""

    collection = serializers.ChoiceField(choices=[kind.collection for kind in KINDS], help_text="Its collection.")
    key = serializers.CharField(help_text="Its natural key.")
    title = serializers.CharField(help_text="Its name or headline.")
    url = serializers.CharField(help_text="Its address in the API.")
