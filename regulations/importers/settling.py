"""Settles what a register and an editor say differently: ours stays, or the register's is taken over and cited."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Model

from regulations.importers.publishing import source_of
from regulations.importers.records import KEYS, as_json, current
from regulations.importers.statements import Register
from regulations.models import Change, Citation, Disagreement, Extract, change
from regulations.models.citations import CITABLE

Outcome = Disagreement.Outcome


class SettledError(Exception):
    """The disagreement is settled already, or its record is gone; the message says which."""


def settle(register: Register, disagreement_id: int, outcome: Outcome, by: str, reason: str) -> Disagreement:
    """Settle a disagreement, all or nothing: with THEIRS the record says what the register says, and cites it.

    Raises SettledError, and ValidationError if there is no reason, or a rule of ours forbids the register's value.
    """
    if not reason.strip():
        raise ValidationError({"reason": "Say why."})
    kind = Change.Kind.CORRECTION if outcome == Outcome.THEIRS else Change.Kind.VERIFICATION
    with transaction.atomic(), change(actor=by, kind=kind, reason=reason):
        open_ = Disagreement.objects.select_for_update(of=("self",)).select_related("entry").get(pk=disagreement_id)
        if open_.outcome:
            raise SettledError(f"{open_.settled_by} has settled this already: {open_.get_outcome_display()}.")
        if outcome == Outcome.THEIRS:
            _take_over(register, open_)
        open_.outcome, open_.settled_by, open_.reason = outcome, by, reason
        open_.full_clean()
        open_.save()
    return open_


def said_now(disagreement: Disagreement) -> Any:
    """What our record says of the field today, as a disagreement keeps it."""
    record = record_of(disagreement)
    if record is None:
        return None
    said = current(disagreement.record, [record.pk], [disagreement.field])[record.pk]
    return as_json(said.get(disagreement.field))


def record_of(disagreement: Disagreement) -> Model | None:
    """The record that is disagreed about; none if it is gone."""
    found: Model | None = getattr(disagreement.entry, disagreement.record)
    return found


def _take_over(register: Register, disagreement: Disagreement) -> None:
    record = record_of(disagreement)
    if record is None:
        raise SettledError("The record is gone; there is nothing to take over.")
    _give(record, disagreement.field, disagreement.theirs)
    extract = _extract(register, disagreement)
    if disagreement.record in CITABLE and extract:
        Citation.objects.get_or_create(
            **{disagreement.record: record},
            source=source_of(register, extract),
            fields=[disagreement.field],
            locator=f"row {disagreement.row.number}" if disagreement.row else "not listed",
            defaults={"read_on": extract.on, "method": Citation.Method.IMPORT, "read_by": register.key},
        )


def _give(record: Model, name: str, value: Any) -> None:
    """Write a value, told as entries keep it, to the record by its own rules."""
    field: Any = record._meta.get_field(name)
    if field.many_to_many:
        getattr(record, name).set(_named(field.related_model, value or []))
        return
    if field.is_relation:
        value = _named(field.related_model, [value])[0] if value else None
    setattr(record, name, "" if value is None and not field.null else value)
    # A register tells days; and what has not ended has no reason for its end.
    if value and f"{name}_precision" in {each.name for each in record._meta.fields}:
        setattr(record, f"{name}_precision", "day")
    if name == "ended_on" and value is None and hasattr(record, "end_reason"):
        record.end_reason = ""
    record.full_clean()
    record.save()


def _named(model: type[Model], keys: list[str]) -> list[Model]:
    found = list(model._default_manager.filter(**{f"{KEYS[model]}__in": keys}))
    if len(found) != len(set(keys)):
        raise ValidationError(f"We do not have all of {', '.join(keys)} any more.")
    return found


def _extract(register: Register, disagreement: Disagreement) -> Extract | None:
    """The evidence: the extract of the row; where nothing is listed, the newest that is published."""
    if disagreement.row:
        return disagreement.row.run.extract
    return Extract.objects.filter(register=register.key, runs__published_at__isnull=False).first()
