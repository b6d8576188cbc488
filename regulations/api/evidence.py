"""Any record as a small object of one shape, with the citations that it rests on."""

from collections.abc import Iterable
from functools import cache

import orjson
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from rest_framework import serializers

from kbase.reading.expressions import Param
from kbase.reading.fields import project
from kbase.reading.statements import Statement, compile_statement
from kbase.reading.views import Question
from regulations.api.citations import CitationSerializer
from regulations.models import Authorisation, Citation, EnforcementAction, Membership, Policy, Stance

# The foreign keys of a citation to the records that can decide a question.
DECISIVE = {
    "membership": Membership,
    "stance": Stance,
    "authorisation": Authorisation,
    "policy": Policy,
    "enforcement_action": EnforcementAction,
}
COLLECTIONS = {
    "stance": "stances",
    "authorisation": "authorisations",
    "policy": "policies",
    "enforcement_action": "enforcement-actions",
}


class DecisiveRecordSerializer(serializers.Serializer):
    """A record that decided. A membership stands with the place that is its member, and so does its address."""

    type = serializers.ChoiceField(list(DECISIVE), help_text="What kind of record it is.")
    key = serializers.CharField(help_text="Its key; of a membership that of the member.")
    name = serializers.CharField(help_text="What it says of itself.")
    url = serializers.CharField(help_text="Where it stands.")


def shown(record: models.Model, root: str) -> dict[str, str]:
    """The record as a small object. root: the address of the API."""
    kind = kind_of(record)
    if isinstance(record, Membership):
        code = record.member.code
        return {
            "type": kind,
            "key": code,
            "name": f"{record.member.name} in {record.bloc.name}",
            "url": f"{root}jurisdictions/{code}/",
        }
    key = str(getattr(record, "slug", None) or getattr(record, "key", ""))
    return {"type": kind, "key": key, "name": str(record), "url": f"{root}{COLLECTIONS[kind]}/{key}/"}


def kind_of(record: models.Model) -> str:
    """The name of the foreign key by which the record is cited."""
    return next(name for name, model in DECISIVE.items() if isinstance(record, model))


def citations_of(records: Iterable[models.Model], question: Question) -> dict[models.Model, list[orjson.Fragment]]:
    """The citations of each of the records, rendered; one query for all of them."""
    found: dict[models.Model, list[orjson.Fragment]] = {record: [] for record in records}
    by_id = {(kind_of(record), record.pk): record for record in found}
    ids = {name: [pk for kind, pk in by_id if kind == name] for name in DECISIVE}
    for rendered, *cited in _citations().rows(question.told(**ids)):
        name, pk = next((name, pk) for name, pk in zip(DECISIVE, cited, strict=True) if pk)
        found[by_id[name, pk]].append(orjson.Fragment(rendered))
    return found


@cache
def _citations() -> Statement:
    any_of = (Q(**{f"{name}__any_of": Param(name, ArrayField(models.BigIntegerField()))}) for name in DECISIVE)
    rows = Citation.objects.filter(Q.create(list(any_of), connector=Q.OR)).order_by("source__slug", "pk")
    return compile_statement(rows.values_list(project(CitationSerializer()), *(f"{name}_id" for name in DECISIVE)))
