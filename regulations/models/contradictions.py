"""Statements of our records that cannot both be right, and such as deserve a second look.

Each function finds the rows in question as of a day, in one query. Dates known as a month or a year contradict
another only if no day of theirs fits.
"""

from collections.abc import Sequence
from datetime import date

from django.db.models import Case, Exists, F, Func, OuterRef, Q, QuerySet, Subquery, When
from django.db.models.expressions import Combinable
from django.db.models.lookups import GreaterThan

from regulations.models.authorisations import Authorisation
from regulations.models.base import DatePrecision
from regulations.models.citations import Citation
from regulations.models.events import EventStep
from regulations.models.figures import Figure
from regulations.models.milestones import Milestone
from regulations.models.people import Appointment
from regulations.models.policies import TAKES_EFFECT, Policy, PolicyRelation, in_force_q
from regulations.models.stances import Stance

Step = Milestone.Kind


class LastDay(Func):
    """The last day of the month or year whose first day is given."""

    template = "(%(expressions)s + interval '1 %(unit)s' - interval '1 day')::date"


def last_day(name: str) -> Case:
    """The last day that the date of this name can mean, by its precision."""
    precision = f"{name}_precision"
    return Case(
        When(**{precision: DatePrecision.MONTH}, then=LastDay(F(name), unit="month")),
        When(**{precision: DatePrecision.YEAR}, then=LastDay(F(name), unit="year")),
        default=F(name),
    )


def first_step(kinds: Sequence[str], day: Combinable | None = None) -> Subquery:
    """When the policy's first step of these kinds was; `day` says which day of its month or year is meant."""
    steps = Milestone.objects.filter(policy=OuterRef("pk"), kind__in=kinds).order_by("date")
    return Subquery(steps.values_list(day or F("date"))[:1])


def out_of_order(before: Sequence[str], after: Sequence[str]) -> QuerySet[Policy]:
    """Policies whose first step of `after` comes before their first of `before`."""
    latest = first_step(after, last_day("date"))
    return Policy.objects.filter(GreaterThan(first_step(before), latest))


def proposed_after_effect(on: date) -> QuerySet[Policy]:
    return out_of_order([Step.PROPOSED], TAKES_EFFECT)


def consulted_backwards(on: date) -> QuerySet[Policy]:
    return out_of_order([Step.CONSULTATION_OPENED], [Step.CONSULTATION_CLOSED])


def ended_before_begun(on: date) -> QuerySet[Policy]:
    return out_of_order([Step.ADOPTED, Step.PUBLISHED, *TAKES_EFFECT], [Step.SUPERSEDED, Step.REPEALED])


def bills_in_force(on: date) -> QuerySet[Policy]:
    return Policy.objects.in_force(on).filter(kind=Policy.Kind.BILL)


def granted_without_law(on: date) -> QuerySet[Authorisation]:
    """Authorisations granted before their policy took effect, or after it had ended."""
    dated = Authorisation.objects.annotate(latest=last_day("granted_on"))
    return dated.filter(Q(latest__lt=F("policy__effective_from")) | Q(granted_on__gte=F("policy__effective_until")))


def granted_before_founded(on: date) -> QuerySet[Authorisation]:
    dated = Authorisation.objects.annotate(latest=last_day("granted_on"))
    return dated.filter(latest__lt=F("company__founded_on"))


def held_out_of_office(on: date) -> QuerySet[Appointment]:
    return Appointment.objects.filter(held_on__gte=F("valid_until"), valid_until_precision=DatePrecision.DAY)


def steps_outside_events(on: date) -> QuerySet[EventStep]:
    dated = EventStep.objects.annotate(latest=last_day("date"))
    return dated.filter(Q(latest__lt=F("event__starts_on")) | Q(date__gt=F("event__ends_on")))


def figures_from_the_future(on: date) -> QuerySet[Figure]:
    return Figure.objects.filter(as_of__gt=F("source__published_on"))


def read_before_published(on: date) -> QuerySet[Citation]:
    return Citation.objects.filter(read_on__lt=F("source__published_on"))


def adopted_after_effect(on: date) -> QuerySet[Policy]:
    return out_of_order([Step.ADOPTED], TAKES_EFFECT)


def bills_with_steps_of_effect(on: date) -> QuerySet[Policy]:
    return Policy.objects.filter(kind=Policy.Kind.BILL, effective_from__isnull=False)


def in_force_though_replaced(on: date) -> QuerySet[PolicyRelation]:
    """Policies in force on the day that another in force supersedes or repeals."""
    ends = [PolicyRelation.Kind.SUPERSEDES, PolicyRelation.Kind.REPEALS]
    in_force = Policy.objects.filter(in_force_q(on)).values("pk")
    return PolicyRelation.objects.filter(kind__in=ends, policy__in=in_force, target__in=in_force)


def stances_before_their_law(on: date) -> QuerySet[Stance]:
    """Stances that begin before any of their policies took effect, where each is known to have done so."""
    dated = Stance.objects.annotate(latest=last_day("valid_from")).filter(latest__isnull=False)
    policies = Policy.objects.filter(stances=OuterRef("pk"))
    fitting = policies.filter(Q(effective_from__isnull=True) | Q(effective_from__lte=OuterRef("latest")))
    return dated.filter(Exists(policies)).exclude(Exists(fitting)).exclude(stance=Stance.Kind.PROPOSED)


def proposed_though_in_force(on: date) -> QuerySet[Stance]:
    policies = Policy.objects.filter(stances=OuterRef("pk"))
    proposed = Stance.objects.on(on).filter(stance=Stance.Kind.PROPOSED)
    return proposed.filter(Exists(policies)).exclude(Exists(policies.exclude(in_force_q(on))))
