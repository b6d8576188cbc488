from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q

from regulations.models.base import Record

# Title, chapter, article, paragraph: deeper trees are not shown.
DEEPEST = 4


class Provision(Record):
    """An ordered part of a policy, in a tree: title, article, pillar, initiative."""

    policy = models.ForeignKey(
        "regulations.Policy",
        models.CASCADE,
        related_name="provisions",
        help_text="The policy that it is part of.",
    )
    parent = models.ForeignKey(
        "self",
        models.CASCADE,
        null=True,
        blank=True,
        related_name="children",
        help_text="The part that it belongs to; empty at the top.",
    )
    position = models.PositiveSmallIntegerField(help_text="Its place among its neighbours, counted from 1.")
    label = models.CharField(max_length=40, blank=True, help_text="How it is cited: Art. 16, Title II, A.")
    title = models.CharField(max_length=300, help_text="Its heading.")
    summary = models.TextField(blank=True, help_text="What it says, in our own words.")
    aims = models.JSONField(
        default=list,
        blank=True,
        help_text="What it is after, as a list of short phrases, where the source lists them.",
    )

    class Meta:
        ordering = ["policy", F("parent").asc(nulls_first=True), "position"]
        constraints = [
            models.UniqueConstraint(
                name="provision_position_once",
                fields=["policy", "parent", "position"],
                nulls_distinct=False,
                violation_error_message="position: another part stands there already.",
            ),
            models.CheckConstraint(
                name="provision_of_another",
                condition=Q(parent__isnull=True) | ~Q(parent=F("id")),
                violation_error_message="parent: a part cannot belong to itself.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.label} {self.title}".strip()

    def clean(self) -> None:
        if self.parent and self.parent.policy_id != self.policy_id:
            raise ValidationError({"parent": "Choose a part of the same policy."})
        if len(self.ancestors()) >= DEEPEST:
            raise ValidationError({"parent": f"Parts may be nested {DEEPEST} deep at most, and never in a circle."})

    def ancestors(self) -> list["Provision"]:
        """The parts that it belongs to, nearest first; cut at DEEPEST, so that a circle ends too."""
        found: list[Provision] = []
        part = self.parent
        while part and len(found) < DEEPEST:
            found.append(part)
            part = part.parent
        return found
