"""Whether an activity is permitted in a place on a day, to anybody or to one company, and which records decided.

What the law says comes first: the stance that decides in the place (see `reach.ruling`).

| The stance says | to anybody | to a company |
| --- | --- | --- |
| prohibited | prohibited | prohibited |
| permitted, regulated, unregulated, exempt | permitted | permitted |
| licence or registration required | licence_required | what its best authorisation amounts to; without any: not_permitted |
| restricted | restricted | permitted with a valid authorisation, else restricted |
| proposed, taxed, not established | not_established | permitted with a valid authorisation, else not_established |
| nothing: nobody has looked | not_researched | what its best authorisation says, if it says anything; else not_researched |

An authorisation amounts to (see `permissions`):

| It is | The verdict |
| --- | --- |
| active, for the activity, given in the place or under the law that decides | permitted |
| the same, given elsewhere, and valid here by passport or as a permission of the bloc | permitted_by_passport |
| the same, as part of a sandbox that the stance does not name | restricted |
| known without its start, its activities or its reach; or a registration where a licence is asked for | not_established |
| in principle, applied for, not yet granted, ended, or for other activities | not_permitted |

Last, a ban makes of a permission not_permitted, and a suspension restricted, from the day it is announced until it is
concluded. An order made before the authorisation was given is taken to be settled by it.

Sources: the meaning of the words is that of `Stance.Kind` and `Authorisation`; of passports Articles 59(7) and 65 MiCA.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from django.db.models import Model, Q, TextChoices

from regulations.models.base import Day
from regulations.models.companies import Company
from regulations.models.enforcement_actions import EnforcementAction
from regulations.models.jurisdictions import Jurisdiction, Membership
from regulations.models.permissions import (
    UNDETERMINED,
    VALID,
    Ground,
    Permission,
    Worth,
    authorisations_of,
    best_permission,
)
from regulations.models.reach import Law, Reach, ruling
from regulations.models.stances import Stance
from regulations.models.topics import Topic


class Verdict(TextChoices):
    """The answers; none of them is a bare no."""

    PERMITTED = "permitted", "Permitted"
    PERMITTED_BY_PASSPORT = "permitted_by_passport", "Permitted by a passport"
    LICENCE_REQUIRED = "licence_required", "Permitted to those who hold a permission"
    RESTRICTED = "restricted", "Permitted within limits"
    PROHIBITED = "prohibited", "Prohibited"
    NOT_PERMITTED = "not_permitted", "Needs a permission, and none that suffices is known"
    NOT_ESTABLISHED = "not_established", "Looked for, and not established"
    NOT_RESEARCHED = "not_researched", "Not researched"


class Reason(TextChoices):
    """Why: what the stance says, what the company's best authorisation amounts to, or what a regulator ordered."""

    STANCE = "stance", "So says the law that decides there"
    NO_STANCE = "no_stance", "Nobody has looked into it"
    NO_AUTHORISATION = "no_authorisation", "No permission of the company is known that bears on the place"
    HELD = Worth.HELD.value, Worth.HELD.label
    VALID_BY_PASSPORT = Worth.VALID_BY_PASSPORT.value, Worth.VALID_BY_PASSPORT.label
    VALID_IN_BLOC = Worth.VALID_IN_BLOC.value, Worth.VALID_IN_BLOC.label
    SANDBOX_ONLY = Worth.SANDBOX_ONLY.value, Worth.SANDBOX_ONLY.label
    PASSPORT_NOT_ESTABLISHED = Worth.PASSPORT_NOT_ESTABLISHED.value, Worth.PASSPORT_NOT_ESTABLISHED.label
    REGISTRATION_INSTEAD = Worth.REGISTRATION_INSTEAD.value, Worth.REGISTRATION_INSTEAD.label
    START_NOT_ESTABLISHED = Worth.START_NOT_ESTABLISHED.value, Worth.START_NOT_ESTABLISHED.label
    ACTIVITIES_NOT_ESTABLISHED = Worth.ACTIVITIES_NOT_ESTABLISHED.value, Worth.ACTIVITIES_NOT_ESTABLISHED.label
    IN_PRINCIPLE_ONLY = Worth.IN_PRINCIPLE_ONLY.value, Worth.IN_PRINCIPLE_ONLY.label
    APPLIED_ONLY = Worth.APPLIED_ONLY.value, Worth.APPLIED_ONLY.label
    NOT_YET_GRANTED = Worth.NOT_YET_GRANTED.value, Worth.NOT_YET_GRANTED.label
    ENDED = Worth.ENDED.value, Worth.ENDED.label
    NOT_COVERED = Worth.NOT_COVERED.value, Worth.NOT_COVERED.label
    BANNED = "banned", "A ban stands against the company"
    SUSPENDED = "suspended", "A suspension stands against the company, of which no end is known"


class Part(TextChoices):
    """What a record of the chain decided."""

    REACH = "reach", "Whose law reaches the place"
    STANCE = "stance", "What that law says"
    AUTHORISATION = "authorisation", "What the company holds"
    REGIME = "regime", "The law under which it is held"
    ORDER = "order", "What a regulator ordered"


SAID: dict[str, Verdict] = {
    Stance.Kind.PERMITTED: Verdict.PERMITTED,
    Stance.Kind.REGULATED: Verdict.PERMITTED,
    Stance.Kind.LICENCE_REQUIRED: Verdict.LICENCE_REQUIRED,
    Stance.Kind.REGISTRATION_REQUIRED: Verdict.LICENCE_REQUIRED,
    Stance.Kind.RESTRICTED: Verdict.RESTRICTED,
    Stance.Kind.PROHIBITED: Verdict.PROHIBITED,
    Stance.Kind.UNREGULATED: Verdict.PERMITTED,
    Stance.Kind.PROPOSED: Verdict.NOT_ESTABLISHED,
    Stance.Kind.TAXED: Verdict.NOT_ESTABLISHED,
    Stance.Kind.EXEMPT: Verdict.PERMITTED,
    Stance.Kind.NOT_ESTABLISHED: Verdict.NOT_ESTABLISHED,
}
# Nothing that a company holds changes these.
SETTLED_FOR_ALL = [Verdict.PROHIBITED, Verdict.PERMITTED]
ORDERS = {
    EnforcementAction.Kind.BAN.value: (Verdict.NOT_PERMITTED, Reason.BANNED),
    EnforcementAction.Kind.SUSPENSION.value: (Verdict.RESTRICTED, Reason.SUSPENDED),
}


@dataclass(frozen=True)
class Step:
    """One link of the chain: a record, and what it decided."""

    part: Part
    record: Model


@dataclass(frozen=True)
class Case:
    """What is asked: may this be done here on this day, by anybody or by this company."""

    place: Jurisdiction
    activity: Topic
    company: Company | None
    on: Day


@dataclass(frozen=True)
class Finding:
    """The verdict, the reason and the sentences that say it, and the chain: take out a link and it is another.

    beside: what other laws that reach the place say on the activity; it did not decide.
    """

    verdict: Verdict
    reason: Reason
    sentence: str
    chain: tuple[Step, ...] = ()
    beside: tuple[Stance, ...] = ()
    held: Permission | None = None


def judge(case: Case) -> Finding:
    """The verdict on a case. It costs the same few queries whatever is found."""
    authorisations = (
        list(authorisations_of(case.company.pk, case.place.pk, case.activity.pk, case.on)) if case.company else []
    )
    reach = Reach.on(case.on, {case.place.pk, *(held.jurisdiction_id for held in authorisations)})
    laws = reach.laws(case.place.pk)
    stances = _stances(case, laws)
    decisive = ruling(stances, laws)
    said = _by_law(case, decisive)
    if case.company and said.verdict not in SETTLED_FOR_ALL:
        ground = Ground(case.place, reach, decisive[0] if decisive else None)
        said = _by_permission(case, said, best_permission(authorisations, ground))
    others = tuple(each for each in stances.values() if decisive and each != decisive[0])
    return replace(_by_order(case, said, laws), beside=others)


def _stances(case: Case, laws: list[Law]) -> dict[int, Stance]:
    rows = Stance.objects.on(case.on).filter(topic=case.activity, jurisdiction__in=[law.law_of for law in laws])
    found = rows.select_related("jurisdiction", "topic").prefetch_related("policies").order_by("jurisdiction__code")
    return {stance.jurisdiction_id: stance for stance in found}


def _by_law(case: Case, decisive: tuple[Stance, Law] | None) -> Finding:
    if decisive is None:
        sentence = f"What {case.place.name} says on {case.activity.name} is not researched."
        return Finding(Verdict.NOT_RESEARCHED, Reason.NO_STANCE, sentence)
    stance, law = decisive
    reached = f", whose law reaches {case.place.name}," if law.by else ""
    sentence = f"{stance.jurisdiction.name}{reached} says on {case.activity.name}: {stance.get_stance_display()}."
    chain = (*_reached(law.by), Step(Part.STANCE, stance))
    return Finding(SAID[stance.stance], Reason.STANCE, sentence, chain)


def _reached(memberships: tuple[Membership, ...]) -> Iterator[Step]:
    return (Step(Part.REACH, membership) for membership in memberships)


def _by_permission(case: Case, said: Finding, best: Permission | None) -> Finding:
    if best is None or not _counts(best.worth, said.verdict):
        return _without(case, said)
    regime = (Step(Part.REGIME, best.regime),) if best.regime else ()
    links = (*said.chain, *_reached(best.memberships), Step(Part.AUTHORISATION, best.authorisation), *regime)
    sentence = f"{said.sentence} {_held(best)}"
    return Finding(_verdict(best.worth), Reason(best.worth.value), sentence, tuple(dict.fromkeys(links)), held=best)


def _counts(worth: Worth, said: Verdict) -> bool:
    """Whether what is held changes what the law says to all."""
    if worth in (*VALID, Worth.SANDBOX_ONLY) or said == Verdict.LICENCE_REQUIRED:
        return True
    return worth in UNDETERMINED and said == Verdict.NOT_RESEARCHED


def _without(case: Case, said: Finding) -> Finding:
    if said.verdict != Verdict.LICENCE_REQUIRED or case.company is None:
        return said
    sentence = f"{said.sentence} No permission of {case.company.name} is known that bears on {case.place.name}."
    return replace(said, verdict=Verdict.NOT_PERMITTED, reason=Reason.NO_AUTHORISATION, sentence=sentence)


def _verdict(worth: Worth) -> Verdict:
    if worth in VALID:
        return Verdict.PERMITTED if worth == Worth.HELD else Verdict.PERMITTED_BY_PASSPORT
    if worth == Worth.SANDBOX_ONLY:
        return Verdict.RESTRICTED
    return Verdict.NOT_ESTABLISHED if worth in UNDETERMINED else Verdict.NOT_PERMITTED


def _held(best: Permission) -> str:
    held = best.authorisation
    given = held.regulator.name if held.regulator else held.jurisdiction.name
    ended = f", {held.get_end_reason_display().lower()} on {held.ended_on}" if held.end_reason else ""
    record = f"{held.get_kind_display().lower()} “{held.key}” from {given}{ended}"
    return f"{best.worth.label}: {held.company.name}, {record}."


def _by_order(case: Case, said: Finding, laws: list[Law]) -> Finding:
    """What is left of a permission under an order that stands against the company."""
    if case.company is None or said.verdict not in (Verdict.PERMITTED, Verdict.PERMITTED_BY_PASSPORT):
        return said
    order = _order(case, said, laws)
    if order is None:
        return said
    verdict, reason = ORDERS[order.kind]
    sentence = f"{said.sentence} {reason.label}: “{order.title}” ({order.regulator.name}, {order.announced_on})."
    return replace(
        said, verdict=verdict, reason=reason, sentence=sentence, chain=(*said.chain, Step(Part.ORDER, order))
    )


def _order(case: Case, said: Finding, laws: list[Law]) -> EnforcementAction | None:
    """The order that weighs most: a ban before a suspension, the newest first."""
    held = said.held.authorisation if said.held else None
    places = {law.law_of for law in laws} | ({held.jurisdiction_id} if held else set())
    orders = EnforcementAction.objects.filter(companies=case.company, jurisdiction__in=places, kind__in=ORDERS)
    standing = orders.filter(Q(concluded_on__isnull=True) | Q(concluded_on__gt=case.on), announced_on__lte=case.on)
    if held and held.granted_on:
        standing = standing.filter(announced_on__gte=held.granted_on)
    # Of the two words, ban is the first in the alphabet too.
    return standing.select_related("regulator").order_by("kind", "-announced_on", "slug").first()
