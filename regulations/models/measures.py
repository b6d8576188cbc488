"""Rules that a company imposes on itself."""

from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from regulations.models.base import (
    Day,
    Record,
    forward_span,
    honest_precision,
    key_field,
    precision_field,
)


class MeasureQuerySet(models.QuerySet["Measure"]):
    def in_effect(self, on: Day) -> Self:
        """Keep the measures that were in effect on the day."""
        return self.filter(effective_from__lte=on).filter(Q(effective_until__isnull=True) | Q(effective_until__gt=on))


class Measure(Record):
    """A rule that a company imposes on itself, such as KuCoin's identity checks."""

    slug = key_field("The key in addresses, such as kucoin-mandatory-kyc-2023.")
    company = models.ForeignKey(
        "regulations.Company",
        models.PROTECT,
        related_name="measures",
        help_text="Who imposes it.",
    )
    title = models.CharField(max_length=300, help_text="What it is, as a headline.")
    topics = models.ManyToManyField(
        "regulations.Topic",
        related_name="measures",
        blank=True,
        help_text="The activities and themes it is about.",
    )
    announced_on = models.DateField(null=True, blank=True, help_text="When it was made public.")
    announced_on_precision = precision_field("announced_on")
    effective_from = models.DateField(null=True, blank=True, help_text="The first day of its effect.")
    effective_from_precision = precision_field("effective_from")
    effective_until = models.DateField(null=True, blank=True, help_text="The first day without its effect.")
    data_collected = ArrayField(
        models.CharField(max_length=100),
        default=list,
        blank=True,
        help_text="What users must tell or show.",
    )
    not_covered = models.CharField(max_length=300, blank=True, help_text="What it expressly leaves aside.")
    limit_amount = models.DecimalField(
        max_digits=20,
        decimal_places=2,
        null=True,
        blank=True,
        help_text="The limit it sets, if it sets one.",
    )
    limit_unit = models.CharField(max_length=20, blank=True, help_text="The currency or token of the limit.")
    limit_period = models.CharField(max_length=20, blank=True, help_text="The span the limit is for, such as month.")
    summary = models.TextField(blank=True, help_text="What it is about, in one or two sentences.")

    objects = MeasureQuerySet.as_manager()

    class Meta:
        ordering = [F("effective_from").desc(nulls_last=True), "slug"]
        constraints = [
            honest_precision("measure", "announced_on"),
            honest_precision("measure", "effective_from"),
            forward_span("measure", "effective_from", "effective_until"),
            models.CheckConstraint(
                name="measure_limit_has_unit",
                condition=Q(limit_amount__isnull=True, limit_unit="", limit_period="")
                | Q(limit_amount__gt=0) & ~Q(limit_unit=""),
                violation_error_message="limit_amount: give an amount above zero together with its unit, or neither.",
            ),
        ]

    def __str__(self) -> str:
        return self.title


class MeasureEffect(models.Model):
    """What a measure means for one group of people."""

    measure = models.ForeignKey(Measure, models.CASCADE, related_name="applies_to")
    position = models.PositiveSmallIntegerField(help_text="Its place in the list, counted from 1.")
    who = models.CharField(max_length=300, help_text="Whom it affects.")
    effect = models.CharField(max_length=300, blank=True, help_text="What they must do.")
    still_open = ArrayField(
        models.CharField(max_length=100),
        default=list,
        blank=True,
        help_text="Services that stay open to them.",
    )
    closed = ArrayField(
        models.CharField(max_length=100),
        default=list,
        blank=True,
        help_text="Services that close to them.",
    )

    class Meta:
        ordering = ["measure", "position"]
        constraints = [
            models.UniqueConstraint(
                name="measureeffect_position_once",
                fields=["measure", "position"],
                violation_error_message="position: another effect stands there already.",
            )
        ]

    def __str__(self) -> str:
        return self.who
