from django.db import models
from django.db.models import F

from regulations.models.base import (
    CodeField,
    Record,
    honest_precision,
    key_field,
    precision_field,
)


class Milestone(Record):
    """A dated step in a policy's life. The words stand in the order of a life; on one day the later word wins."""

    class Kind(models.TextChoices):
        ANNOUNCED = "announced", "Announced"
        PROPOSED = "proposed", "Proposed"
        CONSULTATION_OPENED = "consultation_opened", "Consultation opened"
        CONSULTATION_CLOSED = "consultation_closed", "Consultation closed"
        ADOPTED = "adopted", "Adopted"
        PUBLISHED = "published", "Published"
        IN_FORCE = "in_force", "In force"
        APPLIES = "applies", "Applies"
        TRANSITION_ENDED = "transition_ended", "Transition ended"
        AMENDED = "amended", "Amended"
        SUSPENDED = "suspended", "Suspended"
        SUPERSEDED = "superseded", "Superseded"
        REPEALED = "repealed", "Repealed"
        WITHDRAWN = "withdrawn", "Withdrawn"

    key = key_field("The step's key in addresses: policy, kind, and a number where a kind repeats.")
    policy = models.ForeignKey(
        "regulations.Policy",
        models.CASCADE,
        related_name="milestones",
        help_text="The policy whose life it is.",
    )
    kind = CodeField(Kind.choices, "What happened, or will happen.")
    date = models.DateField(help_text="The day of the step; the first day of a month or year known only as such.")
    date_precision = precision_field("date")
    note = models.CharField(
        max_length=300,
        blank=True,
        help_text="What the step covers, where its kind does not say.",
    )

    class Meta:
        ordering = ["date", "key"]
        constraints = [
            honest_precision("milestone", "date"),
        ]
        indexes = [
            models.Index("policy", "kind", "date", name="milestone_of_policy"),
            models.Index(F("date").desc(), "key", name="milestone_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}, {self.date}"
