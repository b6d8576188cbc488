"""Each kind of record in one line: its collection, its key, its title. What speaks of records of all kinds reads this."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django.db import models
from django.db.models import Case, F, Func, TextField, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast, Coalesce, Concat
from rest_framework import serializers

from kbase.reading.expressions import Address, JsonObject
from kbase.reading.fields import ROOT
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

# From the path that leads to the record to the expression of its title.
Title = Callable[[str], Combinable]


def label_of(choices: type[models.TextChoices], path: str) -> Case:
    """The label of the coded value at the path."""
    labels = (When(**{path: word}, then=Value(label)) for word, label in choices.choices)
    return Case(*labels, default=Value(""), output_field=TextField())


def joined(*parts: Combinable | str) -> Concat:
    """These texts, one after the other."""
    texts = (Value(part) if isinstance(part, str) else part for part in parts)
    return Concat(*texts, output_field=TextField())


def _authorisation(path: str) -> Combinable:
    given_by = Coalesce(f"{path}regulator__name", f"{path}jurisdiction__name")
    return joined(F(f"{path}company__name"), ": ", label_of(Authorisation.Kind, f"{path}kind"), ", ", given_by)


def _figure(path: str) -> Combinable:
    value = Cast(Func(F(f"{path}value"), function="trim_scale"), TextField())
    return joined(F(f"{path}metric"), ": ", value, " ", F(f"{path}unit"))


def _milestone(path: str) -> Combinable:
    return joined(F(f"{path}policy__title"), ": ", label_of(Milestone.Kind, f"{path}kind"))


def _stance(path: str) -> Combinable:
    words = label_of(Stance.Kind, f"{path}stance")
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


class RecordLineSerializer(serializers.Serializer):
    """A record of any kind, in one line."""

    collection = serializers.ChoiceField(choices=[kind.collection for kind in KINDS], help_text="Its collection.")
    key = serializers.CharField(help_text="Its natural key.")
    title = serializers.CharField(help_text="Its name or headline.")
    url = serializers.CharField(help_text="Its address in the API.")
