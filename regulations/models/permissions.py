"""What one authorisation amounts to, for one activity in one place on one day."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, QuerySet, TextChoices

from regulations.models.authorisations import Authorisation, AuthorisationStatus
from regulations.models.base import Day
from regulations.models.jurisdictions import Jurisdiction, Membership
from regulations.models.policies import Policy, in_force_q
from regulations.models.reach import Law, Reach
from regulations.models.stances import Stance


class Worth(TextChoices):
    """What an authorisation amounts to; the better before the worse."""

    HELD = "held", "Holds the permission"
    VALID_BY_PASSPORT = "valid_by_passport", "Holds a permission that names the place as one where it is valid"
    VALID_IN_BLOC = "valid_in_bloc", "Holds a permission that is valid throughout the bloc"
    SANDBOX_ONLY = "sandbox_only", "Takes part in a sandbox, within its limits"
    PASSPORT_NOT_ESTABLISHED = "passport_not_established", "Whether its permission is valid there is not established"
    REGISTRATION_INSTEAD = (
        "registration_instead",
        "Whether its registration is the licence asked for is not established",
    )
    START_NOT_ESTABLISHED = "start_not_established", "Since when it holds its permission is not established"
    ACTIVITIES_NOT_ESTABLISHED = "activities_not_established", "What its permission covers is not established"
    IN_PRINCIPLE_ONLY = "in_principle_only", "Holds an approval in principle only"
    APPLIED_ONLY = "applied_only", "Has applied only"
    NOT_YET_GRANTED = "not_yet_granted", "Its permission begins later"
    ENDED = "ended", "Its permission has ended"
    NOT_COVERED = "not_covered", "Its permission is for other activities"


VALID = [Worth.HELD, Worth.VALID_BY_PASSPORT, Worth.VALID_IN_BLOC]
UNDETERMINED = [
    Worth.PASSPORT_NOT_ESTABLISHED,
    Worth.REGISTRATION_INSTEAD,
    Worth.START_NOT_ESTABLISHED,
    Worth.ACTIVITIES_NOT_ESTABLISHED,
]


@dataclass(frozen=True)
class Ground:
    """Where and for what a permission is looked for: the place, the laws that reach it, the stance that decides there."""

    place: Jurisdiction
    reach: Reach
    stance: Stance | None


@dataclass(frozen=True)
class Permission:
    """An authorisation, what it amounts to, and the memberships and the regime that carry it into the place."""

    authorisation: Authorisation
    worth: Worth
    memberships: tuple[Membership, ...] = ()
    regime: Policy | None = None


@dataclass(frozen=True)
class _Way:
    """How an authorisation comes to bear on a place."""

    worth: Worth
    memberships: tuple[Membership, ...] = ()
    regime: Policy | None = None


def authorisations_of(company: int, place: int, activity: int, on: Day) -> QuerySet[Authorisation]:
    """The company's authorisations with all that `permission` asks of them; the newest first."""
    activities = Authorisation.activities.through.objects.filter(authorisation=OuterRef("pk"))
    passports = Authorisation.valid_in.through.objects.filter(authorisation=OuterRef("pk"), jurisdiction=place)
    regimes = Policy.objects.filter(pk=OuterRef("policy")).filter(in_force_q(on))
    return (
        Authorisation.objects.filter(company=company)
        .with_status(on)
        .annotate(
            has_activities=Exists(activities),
            is_for_activity=Exists(activities.filter(topic=activity)),
            has_passport=Exists(passports),
            has_regime_in_force=Exists(regimes),
        )
        .select_related("company", "regulator", "jurisdiction", "policy__jurisdiction")
    )


def best_permission(authorisations: Iterable[Authorisation], ground: Ground) -> Permission | None:
    """The authorisation that amounts to most; None if none bears on the place."""
    found = [each for held in authorisations if (each := permission(held, ground))]
    order = list(Worth)
    return min(found, key=lambda each: order.index(each.worth), default=None)


def permission(held: Authorisation, ground: Ground) -> Permission | None:
    """What the authorisation amounts to; None if it has no bearing on the place."""
    lacking = _lacking(held)
    way = _own_way(held, ground) or (None if lacking else _bloc_way(held, ground)) or _unclear_way(held, ground)
    if way is None:
        return None
    worth = lacking or way.worth
    if worth in VALID:
        worth = _short(held, ground.stance) or worth
    return Permission(held, worth, way.memberships, way.regime)


def _lacking(held: Authorisation) -> Worth | None:
    """What the authorisation itself lacks on the day: cover, life, or knowledge of these."""
    if held.has_activities and not held.is_for_activity:  # type: ignore[attr-defined]  # annotated
        return Worth.NOT_COVERED
    by_status = {
        AuthorisationStatus.ENDED.value: Worth.ENDED,
        AuthorisationStatus.NOT_YET.value: Worth.NOT_YET_GRANTED,
        AuthorisationStatus.APPLIED.value: Worth.APPLIED_ONLY,
    }
    status: str = held.status  # type: ignore[attr-defined]  # annotated
    if status in by_status:
        return by_status[status]
    if held.kind == Authorisation.Kind.IN_PRINCIPLE:
        return Worth.IN_PRINCIPLE_ONLY
    if status == AuthorisationStatus.NOT_ESTABLISHED:
        return Worth.START_NOT_ESTABLISHED
    return None if held.has_activities else Worth.ACTIVITIES_NOT_ESTABLISHED  # type: ignore[attr-defined]


def _short(held: Authorisation, stance: Stance | None) -> Worth | None:
    """Where the law asks for more than such a kind of permission, unless the law that asks is the one that gave it."""
    if stance is not None and held.policy_id in {policy.pk for policy in stance.policies.all()}:
        return None
    if held.kind == Authorisation.Kind.SANDBOX:
        return Worth.SANDBOX_ONLY
    is_licence_asked = stance is not None and stance.stance == Stance.Kind.LICENCE_REQUIRED
    if held.kind == Authorisation.Kind.REGISTRATION and is_licence_asked:
        return Worth.REGISTRATION_INSTEAD
    return None


def _own_way(held: Authorisation, ground: Ground) -> _Way | None:
    """A permission given in the place, under the law that decides there, or said to be valid there."""
    if held.jurisdiction_id == ground.place.pk:
        return _Way(Worth.HELD)
    if ground.stance is not None and held.jurisdiction_id == ground.stance.jurisdiction_id:
        return _Way(Worth.HELD)
    return _Way(Worth.VALID_BY_PASSPORT) if held.has_passport else None  # type: ignore[attr-defined]  # annotated


def _bloc_way(held: Authorisation, ground: Ground) -> _Way | None:
    """A permission under a bloc's regulation is valid wherever that regulation is law.

    Source: Articles 59(7) and 65 MiCA; Articles 8(8), 9(8) and 10(8) of the DLT Pilot Regulation. Of the notice to the host
    authority we have no records, and the permission does not depend on it.
    """
    regime = held.policy
    if regime is None or regime.kind != Policy.Kind.REGULATION or not held.has_regime_in_force:  # type: ignore[attr-defined]
        return None
    if regime.jurisdiction.kind != Jurisdiction.Kind.SUPRANATIONAL:
        return None
    home = ground.reach.law(regime.jurisdiction_id, held.jurisdiction_id)
    here = ground.reach.law(regime.jurisdiction_id, ground.place.pk)
    return _Way(Worth.VALID_IN_BLOC, home.by + here.by, regime) if home and here else None


def _unclear_way(held: Authorisation, ground: Ground) -> _Way | None:
    """A permission from elsewhere that may be valid here: it was given under a law that is law here as well."""
    unclear, stance = Worth.PASSPORT_NOT_ESTABLISHED, ground.stance
    if stance is not None and held.policy_id in {policy.pk for policy in stance.policies.all()}:
        return _Way(unclear)
    if law := _law_given_under(held, ground):
        return _Way(unclear, law.by)
    if stance is None or held.policy_id or stance.jurisdiction.kind != Jurisdiction.Kind.SUPRANATIONAL:
        return None
    at_home = ground.reach.law(stance.jurisdiction_id, held.jurisdiction_id)
    return _Way(unclear, at_home.by) if at_home else None


def _law_given_under(held: Authorisation, ground: Ground) -> Law | None:
    """The law that the permission was given under, if it reaches the place: a federation's, or a bloc's."""
    own = ground.reach.law(held.jurisdiction_id, ground.place.pk)
    return own or (ground.reach.law(held.policy.jurisdiction_id, ground.place.pk) if held.policy else None)
