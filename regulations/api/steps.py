"""What is dated: each kind of step that the timeline tells, of which model and in which of its date fields.

Not told, as they are dates of evidence or of wording: figures, publications, days on which a source shows somebody in
office, ends of names.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from django.db import models
from django.db.models import F, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Coalesce, NullIf

from regulations.api.records import BY_MODEL, RecordKind, Title, joined, label_of
from regulations.models import (
    Appointment,
    Authorisation,
    Company,
    CompanyRelation,
    EnforcementAction,
    Event,
    EventStep,
    Jurisdiction,
    Measure,
    Membership,
    Milestone,
    Person,
    Policy,
    Stance,
    Topic,
)

# The related records of the row in the outer query.
Related = Callable[[], QuerySet]


@dataclass(frozen=True)
class Step:
    """A kind of dated step.

    date: the field of the model. kinds: what the step can be, with labels; of several, `coded_by` names the field that
        says which, whose words follow `prefix`.
    verb: what happens, after the title of what it happens to; none where the title tells.
    record: the kind of record that it belongs to; path: leads there from the model. title: if it is not the record's.
    law: the path to the jurisdiction (its id) whose law it is, if it is law.
    related: what it is about, by the names jurisdiction, topic, policy, company.
    """

    model: type[models.Model]
    date: str
    kinds: Mapping[str, str]
    verb: str = ""
    coded_by: str = ""
    prefix: str = ""
    record: RecordKind = field(kw_only=True)
    path: str = ""
    title: Title | None = None
    law: str | None = None
    related: Mapping[str, Related] = field(default_factory=dict)

    @property
    def precision(self) -> str | None:
        """The field that says how exactly the date is known; None for dates that are days."""
        name = f"{self.date}_precision"
        return name if any(each.name == name for each in self.model._meta.get_fields()) else None

    def titled(self) -> models.expressions.Combinable:
        """What happens to what, in words."""
        title = self.title("") if self.title else self.record.title(self.path)
        return joined(title, f" – {self.verb}") if self.verb else title


def _coded(choices: type[models.TextChoices], prefix: str, noun: str) -> dict[str, str]:
    return {f"{prefix}{word}": f"{noun}: {label}" for word, label in choices.choices}


def _of(model: type[models.Model], path: str) -> Related:
    """The one record whose id stands at the path."""
    return lambda: model._base_manager.filter(pk=OuterRef(path))


def _that(model: type[models.Model], relation: str) -> Related:
    """The records that have the row in this relation."""
    return lambda: model._base_manager.filter(**{relation: OuterRef("pk")})


def _span(model: type[models.Model], word: str, noun: str, **facts) -> list[Step]:
    """The two ends of a span from valid_from until the day before valid_until."""
    return [
        Step(model, "valid_from", {f"{word}_begins": f"{noun} begins"}, "begins", **facts),
        Step(model, "valid_until", {f"{word}_ends": f"{noun} ends"}, "ends", **facts),
    ]


MILESTONES = [
    Step(
        Milestone,
        "date",
        _coded(Milestone.Kind, "policy_", "Policy"),
        coded_by="kind",
        prefix="policy_",
        record=BY_MODEL[Milestone],
        law="policy__jurisdiction_id",
        related={
            "jurisdiction": _of(Jurisdiction, "policy__jurisdiction_id"),
            "topic": lambda: Topic.objects.filter(policies=OuterRef("policy_id")),
            "policy": _of(Policy, "policy_id"),
        },
    )
]
STANCES = _span(
    Stance,
    "stance",
    "Stance",
    record=BY_MODEL[Stance],
    law="jurisdiction_id",
    related={
        "jurisdiction": _of(Jurisdiction, "jurisdiction_id"),
        "topic": _of(Topic, "topic_id"),
        "policy": _that(Policy, "stances"),
    },
)
AUTHORISATIONS = [
    Step(
        Authorisation,
        f"{verb}_on",
        {f"authorisation_{verb}": f"Authorisation {words}"},
        words,
        record=BY_MODEL[Authorisation],
        law="jurisdiction_id",
        related={
            "jurisdiction": _of(Jurisdiction, "jurisdiction_id"),
            "topic": _that(Topic, "authorisations"),
            "policy": _of(Policy, "policy_id"),
            "company": _of(Company, "company_id"),
        },
    )
    for verb, words in (("applied", "applied for"), ("granted", "granted"), ("ended", "ended"))
]
ENFORCEMENT_ACTIONS = [
    Step(
        EnforcementAction,
        f"{verb}_on",
        {f"enforcement_{verb}": f"Enforcement action {verb}"},
        verb,
        record=BY_MODEL[EnforcementAction],
        law="jurisdiction_id",
        related={
            "jurisdiction": _of(Jurisdiction, "jurisdiction_id"),
            "policy": _that(Policy, "enforcement_actions"),
            "company": _that(Company, "enforcement_actions"),
        },
    )
    for verb in ("announced", "concluded")
]
MEASURES = [
    Step(
        Measure,
        date,
        {f"measure_{word}": f"Measure {words}"},
        words,
        record=BY_MODEL[Measure],
        related={"topic": _that(Topic, "measures"), "company": _of(Company, "company_id")},
    )
    for date, word, words in (
        ("announced_on", "announced", "announced"),
        ("effective_from", "begins", "takes effect"),
        ("effective_until", "ends", "ends"),
    )
]
EVENTS = [
    Step(
        Event,
        date,
        {f"event_{word}": f"Event {words}"},
        words,
        record=BY_MODEL[Event],
        related={
            "jurisdiction": _of(Jurisdiction, "jurisdiction_id"),
            "company": _that(Company, "organised_events__event"),
        },
    )
    for date, word, words in (("starts_on", "begins", "begins"), ("ends_on", "ends", "last day"))
]
EVENT_STEPS = [
    Step(
        EventStep,
        "date",
        _coded(EventStep.Kind, "event_", "Event"),
        coded_by="kind",
        prefix="event_",
        record=BY_MODEL[Event],
        path="event__",
        title=lambda path: joined(F(f"{path}event__name"), ": ", label_of(dict(EventStep.Kind.choices), f"{path}kind")),
        related={
            "jurisdiction": _of(Jurisdiction, "event__jurisdiction_id"),
            "company": lambda: Company.objects.filter(organised_events__event=OuterRef("event_id")),
        },
    )
]


def _office(path: str) -> models.expressions.Combinable:
    body = Coalesce(f"{path}regulator__name", f"{path}organisation__name", f"{path}company__name")
    office = Coalesce(NullIf(f"{path}title", Value("")), Value("office"))
    return joined(F(f"{path}person__name"), ": ", office, ", ", body)


APPOINTMENTS = _span(
    Appointment,
    "appointment",
    "Appointment",
    record=BY_MODEL[Person],
    path="person__",
    title=_office,
    related={
        "jurisdiction": lambda: Jurisdiction.objects.filter(
            Q(pk=OuterRef("regulator__jurisdiction_id")) | Q(pk=OuterRef("organisation__jurisdiction_id"))
        ),
        "company": _of(Company, "company_id"),
    },
)
MEMBERSHIPS = _span(
    Membership,
    "membership",
    "Membership",
    record=BY_MODEL[Jurisdiction],
    path="member__",
    title=lambda path: joined(F(f"{path}member__name"), " in ", F(f"{path}bloc__name")),
    related={
        "jurisdiction": lambda: Jurisdiction.objects.filter(Q(pk=OuterRef("member_id")) | Q(pk=OuterRef("bloc_id"))),
    },
)
RELATIONS = _span(
    CompanyRelation,
    "relation",
    "Relation",
    record=BY_MODEL[Company],
    path="company__",
    title=lambda path: joined(
        F(f"{path}company__name"),
        ": ",
        label_of(dict(CompanyRelation.Kind.choices), f"{path}kind"),
        " ",
        F(f"{path}target__name"),
    ),
    related={
        "company": lambda: Company.objects.filter(Q(pk=OuterRef("company_id")) | Q(pk=OuterRef("target_id"))),
    },
)
FOUNDINGS = [
    Step(
        Company,
        "founded_on",
        {"company_founded": "Company founded"},
        "founded",
        record=BY_MODEL[Company],
        related={"topic": _that(Topic, "companies"), "company": _of(Company, "pk")},
    )
]

# Their order is the order of a day.
STEPS = (
    *MILESTONES,
    *STANCES,
    *AUTHORISATIONS,
    *ENFORCEMENT_ACTIONS,
    *MEASURES,
    *EVENTS,
    *EVENT_STEPS,
    *APPOINTMENTS,
    *MEMBERSHIPS,
    *RELATIONS,
    *FOUNDINGS,
)
KINDS: Mapping[str, str] = {code: label for step in STEPS for code, label in step.kinds.items()}
COLLECTIONS = tuple(dict.fromkeys(step.record.collection for step in STEPS))
