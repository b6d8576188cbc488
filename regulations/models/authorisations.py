from typing import Self

from django.db import models
from django.db.models import Case, F, Q, Value, When
from django.db.models.expressions import Expression

from regulations.models.base import (
    CodeField,
    Day,
    Record,
    forward_span,
    honest_precision,
    key_field,
    precision_field,
)


class AuthorisationStatus(models.TextChoices):
    """What an authorisation's dates say of it as of a day; never stored."""

    NOT_YET = "not_yet", "Not yet applied for or granted"
    APPLIED = "applied", "Applied for"
    ACTIVE = "active", "Active"
    ENDED = "ended", "Ended"
    NOT_ESTABLISHED = "not_established", "Start not established"


def active_q(on: Day) -> Q:
    """Granted by the day, and not ended by it: the day on which it ends is the first without it."""
    return Q(granted_on__lte=on) & (Q(ended_on__isnull=True) | Q(ended_on__gt=on))


def status_on(on: Day, path: str = "") -> Expression:
    """An authorisation's status as of the day. One that is known to exist, but not since when, stays unestablished.

    path: leads from the rows that are queried to the authorisation; empty for authorisations.
    """
    applied, granted, ended = f"{path}applied_on", f"{path}granted_on", f"{path}ended_on"
    undated = {f"{applied}__isnull": True, f"{granted}__isnull": True}
    return Case(
        When(**{f"{ended}__lte": on}, then=Value(AuthorisationStatus.ENDED.value)),
        When(**{f"{granted}__lte": on}, then=Value(AuthorisationStatus.ACTIVE.value)),
        When(**{f"{applied}__lte": on}, then=Value(AuthorisationStatus.APPLIED.value)),
        When(**undated, then=Value(AuthorisationStatus.NOT_ESTABLISHED.value)),
        default=Value(AuthorisationStatus.NOT_YET.value),
        output_field=models.CharField(),
    )


class AuthorisationQuerySet(models.QuerySet["Authorisation"]):
    def active(self, on: Day) -> Self:
        """Keep the permissions that are known to have been held on the day."""
        return self.filter(active_q(on))

    def with_status(self, on: Day) -> Self:
        """Add `status`, the authorisation's status as of the day."""
        return self.annotate(status=status_on(on))


class Authorisation(Record):
    """A company's permission from a regulator under a policy: licence, registration, approval, exemption, sandbox."""

    class Kind(models.TextChoices):
        LICENCE = "licence", "Licence"
        REGISTRATION = "registration", "Registration"
        IN_PRINCIPLE = "in_principle", "In-principle approval"
        EXEMPTION = "exemption", "Exemption"
        SANDBOX = "sandbox", "Sandbox"
        # ESMA lists under one head who was authorised (Art. 63 MiCA) and who gave notice (Art. 60).
        LISTED = "listed", "Listed as authorised or notified"

    class EndReason(models.TextChoices):
        REVOKED = "revoked", "Revoked"
        WITHDRAWN = "withdrawn", "Withdrawn"
        EXPIRED = "expired", "Expired"
        SURRENDERED = "surrendered", "Surrendered"
        DELISTED = "delisted", "No longer listed in the register"

    key = key_field("The key in addresses: company, regulator and kind, and a number where they repeat.")
    company = models.ForeignKey(
        "regulations.Company",
        models.PROTECT,
        related_name="authorisations",
        help_text="Who is permitted.",
    )
    regulator = models.ForeignKey(
        "regulations.Regulator",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="authorisations",
        help_text="Who permits it; empty if not established.",
    )
    policy = models.ForeignKey(
        "regulations.Policy",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="authorisations",
        help_text="The regime under which it is granted; empty if not established.",
    )
    jurisdiction = models.ForeignKey(
        "regulations.Jurisdiction",
        models.PROTECT,
        related_name="authorisations",
        help_text="Under whose law it is.",
    )
    kind = CodeField(Kind.choices, "What sort of permission it is.")
    reference = models.CharField(max_length=100, blank=True, help_text="Its number or class in the register.")
    activities = models.ManyToManyField(
        "regulations.Topic",
        related_name="authorisations",
        blank=True,
        help_text="What it permits: topics of kind activity. None means not established.",
    )
    valid_in = models.ManyToManyField(
        "regulations.Jurisdiction",
        related_name="passported_authorisations",
        blank=True,
        help_text="Other places where it is valid by passport. None means not established.",
    )
    applied_on = models.DateField(null=True, blank=True, help_text="When the company was known to have applied.")
    applied_on_precision = precision_field("applied_on")
    granted_on = models.DateField(
        null=True,
        blank=True,
        help_text="The first day on which it was held; empty if not granted or not established.",
    )
    granted_on_precision = precision_field("granted_on")
    ended_on = models.DateField(null=True, blank=True, help_text="The first day on which it was held no longer.")
    ended_on_precision = precision_field("ended_on")
    end_reason = CodeField(EndReason.choices, "Why it ended.", blank=True)
    summary = models.TextField(blank=True, help_text="What one should know about it.")

    objects = AuthorisationQuerySet.as_manager()

    class Meta:
        ordering = [F("granted_on").desc(nulls_last=True), "key"]
        constraints = [
            models.CheckConstraint(
                name="authorisation_end_reason_has_end",
                condition=Q(end_reason="") | Q(ended_on__isnull=False),
                violation_error_message="ended_on: say when it ended, as a reason for its end is given.",
            ),
            honest_precision("authorisation", "applied_on"),
            honest_precision("authorisation", "granted_on"),
            honest_precision("authorisation", "ended_on"),
            forward_span("authorisation", "applied_on", "granted_on", may_be_empty=True),
            forward_span("authorisation", "applied_on", "ended_on", may_be_empty=True),
            forward_span("authorisation", "granted_on", "ended_on", may_be_empty=True),
        ]
        indexes = [
            # Whether a company is authorised in a place, or by a body there, on a day.
            models.Index(
                "company",
                "jurisdiction",
                name="authorisation_of_company",
                include=["regulator", "granted_on", "ended_on"],
            ),
            # Whom a body has ever authorised, whatever else is asked.
            models.Index(
                "regulator",
                "company",
                name="authorisation_by_regulator",
                include=["id", "granted_on", "ended_on"],
            ),
            models.Index(
                F("granted_on").desc(nulls_last=True),
                "key",
                name="authorisation_newest",
            ),
            # The permissions under a place's law, counted by their status as well.
            models.Index(
                "jurisdiction",
                F("granted_on").desc(nulls_last=True),
                "key",
                name="authorisation_newest_in_place",
                include=["ended_on", "applied_on"],
            ),
        ]

    def __str__(self) -> str:
        return f"{self.company} – {self.get_kind_display()} – {self.regulator or self.jurisdiction}"
