from typing import Self

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import Deferrable, F

from regulations.models.base import (
    CodeField,
    Day,
    Record,
    forward_span,
    honest_precision,
    key_field,
    precision_field,
    span_covers,
)
from regulations.models.jurisdictions import DateRange


class StanceQuerySet(models.QuerySet["Stance"]):
    def on(self, day: Day) -> Self:
        """Keep the stances that held on the day; one with no known start holds from ever."""
        return self.filter(span_covers(day))


class Stance(Record):
    """What a jurisdiction says on one topic over a span of days. No stance at all means: not researched."""

    class Kind(models.TextChoices):
        PERMITTED = "permitted", "Permitted"
        REGULATED = "regulated", "Regulated: duties apply, no permission needed"
        LICENCE_REQUIRED = "licence_required", "Licence required"
        REGISTRATION_REQUIRED = "registration_required", "Registration required"
        RESTRICTED = "restricted", "Restricted"
        PROHIBITED = "prohibited", "Prohibited"
        UNREGULATED = "unregulated", "Unregulated"
        PROPOSED = "proposed", "Proposed"
        TAXED = "taxed", "Taxed"
        EXEMPT = "exempt", "Exempt"
        NOT_ESTABLISHED = "not_established", "Not established: looked for, not found"

    key = key_field("The key in addresses: jurisdiction, topic, and a number where they repeat.")
    jurisdiction = models.ForeignKey(
        "regulations.Jurisdiction",
        models.PROTECT,
        related_name="stances",
        help_text="Whose stance it is.",
    )
    topic = models.ForeignKey(
        "regulations.Topic",
        models.PROTECT,
        related_name="stances",
        help_text="On what.",
    )
    stance = CodeField(Kind.choices, "What the jurisdiction says.")
    valid_from = models.DateField(null=True, blank=True, help_text="The first day; empty if not established.")
    valid_from_precision = precision_field("valid_from")
    valid_until = models.DateField(null=True, blank=True, help_text="The first day on which it held no longer.")
    valid_until_precision = precision_field("valid_until")
    policies = models.ManyToManyField(
        "regulations.Policy",
        related_name="stances",
        blank=True,
        help_text="The policies that say so.",
    )
    summary = models.TextField(blank=True, help_text="What it means, in one or two sentences.")

    objects = StanceQuerySet.as_manager()

    class Meta:
        ordering = [
            "jurisdiction__code",
            "topic__slug",
            F("valid_from").asc(nulls_first=True),
            "key",
        ]
        constraints = [
            honest_precision("stance", "valid_from"),
            honest_precision("stance", "valid_until"),
            forward_span("stance", "valid_from", "valid_until"),
            ExclusionConstraint(
                name="stance_spans_apart",
                # Looked at after each statement, so that one statement may move the border between two spans.
                deferrable=Deferrable.IMMEDIATE,
                expressions=[
                    ("jurisdiction", RangeOperators.EQUAL),
                    ("topic", RangeOperators.EQUAL),
                    (DateRange(), RangeOperators.OVERLAPS),
                ],
                violation_error_message=(
                    "valid_from: another stance of this jurisdiction on this topic covers some of these days."
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.jurisdiction.code} on {self.topic}: {self.get_stance_display()}"
