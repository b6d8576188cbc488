from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import F, Q

from regulations.models.base import (
    CodeField,
    Record,
    amount_with_currency,
    forward_span,
    honest_precision,
    key_field,
    precision_field,
    validate_currency,
)
from regulations.models.identities import Folded


class EnforcementAction(Record):
    """A regulator's act against companies."""

    class Kind(models.TextChoices):
        FINE = "fine", "Fine"
        SETTLEMENT = "settlement", "Settlement"
        LAWSUIT = "lawsuit", "Lawsuit"
        CRIMINAL = "criminal", "Criminal case"
        WARNING = "warning", "Warning"
        BAN = "ban", "Ban"
        SUSPENSION = "suspension", "Suspension"
        REVOCATION = "revocation", "Revocation"

    slug = key_field("The key in addresses: regulator, company and year, such as us-doj-kucoin-2025.")
    title = models.CharField(max_length=300, help_text="What happened, as a headline.")
    kind = CodeField(Kind.choices, "What sort of act it is.")
    regulator = models.ForeignKey(
        "regulations.Regulator",
        models.PROTECT,
        related_name="enforcement_actions",
        help_text="Who acts.",
    )
    jurisdiction = models.ForeignKey(
        "regulations.Jurisdiction",
        models.PROTECT,
        related_name="enforcement_actions",
        help_text="Under whose law.",
    )
    companies = models.ManyToManyField(
        "regulations.Company",
        related_name="enforcement_actions",
        blank=True,
        help_text="Against whom.",
    )
    policies = models.ManyToManyField(
        "regulations.Policy",
        related_name="enforcement_actions",
        blank=True,
        help_text="The policies breached.",
    )
    announced_on = models.DateField(null=True, blank=True, help_text="When it was made public.")
    announced_on_precision = precision_field("announced_on")
    concluded_on = models.DateField(null=True, blank=True, help_text="When it ended: judgment, payment, dismissal.")
    concluded_on_precision = precision_field("concluded_on")
    penalty_amount = models.DecimalField(
        max_digits=20,
        decimal_places=2,
        null=True,
        blank=True,
        help_text="The penalty, in the currency's own units.",
    )
    penalty_currency = models.CharField(
        max_length=5,
        blank=True,
        validators=[validate_currency],
        help_text="ISO 4217 code of the penalty's currency.",
    )
    summary = models.TextField(blank=True, help_text="What it was about, in a few sentences.")

    class Meta:
        ordering = [F("announced_on").desc(nulls_last=True), "slug"]
        constraints = [
            honest_precision("enforcementaction", "announced_on"),
            honest_precision("enforcementaction", "concluded_on"),
            forward_span("enforcementaction", "announced_on", "concluded_on", may_be_empty=True),
            amount_with_currency("enforcementaction", "penalty_amount", "penalty_currency"),
        ]
        indexes = [
            models.Index(
                F("announced_on").desc(nulls_last=True),
                "slug",
                name="enforcementaction_newest",
            )
        ]

    def __str__(self) -> str:
        return self.title


class EnforcementDomain(models.Model):
    """A web domain that an enforcement action, most often a warning, names."""

    action = models.ForeignKey(EnforcementAction, models.CASCADE, related_name="domains")
    domain = models.CharField(
        max_length=253,
        db_collation="C",
        help_text="The domain that is registered, in small letters and as DNS has it (IDNA): xn--bcher-kva.example.",
    )
    address = models.CharField(max_length=500, help_text="The address as it is listed.")

    class Meta:
        ordering = ["action", "domain", "address"]
        constraints = [
            models.UniqueConstraint(
                name="enforcementdomain_once",
                fields=["action", "domain", "address"],
                violation_error_message="address: the action names it already.",
            ),
            models.CheckConstraint(
                name="enforcementdomain_as_dns_has_it",
                condition=Q(domain__regex=r"^([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z0-9-]{2,63}$"),
                violation_error_message="domain: a host with a point, in small ASCII letters, without scheme and path.",
            ),
        ]
        indexes = [
            models.Index("domain", name="enforcementdomain_domain"),
            GinIndex(OpClass(F("domain"), "gin_trgm_ops"), name="enforcementdomain_alike"),
        ]

    def __str__(self) -> str:
        return self.domain


class EnforcementName(models.Model):
    """Whom an enforcement action names that is no company of ours."""

    action = models.ForeignKey(EnforcementAction, models.CASCADE, related_name="names")
    name = models.CharField(max_length=300, help_text="The name as it is listed.")

    class Meta:
        ordering = ["action", "name"]
        constraints = [
            models.UniqueConstraint(
                name="enforcementname_once",
                fields=["action", "name"],
                violation_error_message="name: the action names it already.",
            ),
            models.CheckConstraint(
                name="enforcementname_not_empty", condition=~Q(name=""), violation_error_message="name: empty."
            ),
        ]
        indexes = [
            models.Index(Folded("name"), name="enforcementname_folded"),
            GinIndex(OpClass(Folded("name"), "gin_trgm_ops"), name="enforcementname_alike"),
        ]

    def __str__(self) -> str:
        return self.name
