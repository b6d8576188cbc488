"""The evidence: which record rests on which source."""

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models

from regulations.models.base import CodeField, Record, exactly_one

# The kinds of record that can be cited, by the name of their foreign key. A figure names its source itself.
CITABLE = [
    "jurisdiction",
    "membership",
    "regulator",
    "organisation",
    "policy",
    "milestone",
    "provision",
    "policy_relation",
    "company",
    "company_relation",
    "authorisation",
    "enforcement_action",
    "measure",
    "stance",
    "person",
    "appointment",
    "event",
]


def _cited(model: str) -> "models.ForeignKey[Any, Any]":
    return models.ForeignKey(
        f"regulations.{model}",
        models.CASCADE,
        null=True,
        blank=True,
        related_name="citations",
    )


class Citation(Record):
    """This record, in these fields, rests on this source, at this place, read on that day, by whom or what."""

    class Method(models.TextChoices):
        PERSON = "person", "Read by a person"
        IMPORT = "import", "Taken over by an import"

    source = models.ForeignKey(
        "regulations.Source",
        models.PROTECT,
        related_name="citations",
        help_text="What the record rests on.",
    )
    jurisdiction = _cited("Jurisdiction")
    membership = _cited("Membership")
    regulator = _cited("Regulator")
    organisation = _cited("Organisation")
    policy = _cited("Policy")
    milestone = _cited("Milestone")
    provision = _cited("Provision")
    policy_relation = _cited("PolicyRelation")
    company = _cited("Company")
    company_relation = _cited("CompanyRelation")
    authorisation = _cited("Authorisation")
    enforcement_action = _cited("EnforcementAction")
    measure = _cited("Measure")
    stance = _cited("Stance")
    person = _cited("Person")
    appointment = _cited("Appointment")
    event = _cited("Event")
    fields = ArrayField(
        models.CharField(max_length=60),
        default=list,
        blank=True,
        help_text="The fields that rest on the source; none means the whole record.",
    )
    locator = models.CharField(max_length=200, blank=True, help_text="Where in the source: article, page, row.")
    quote = models.CharField(max_length=500, blank=True, help_text="A short quotation, word for word.")
    note = models.CharField(max_length=300, blank=True, help_text="What one should know about it.")
    read_on = models.DateField(null=True, blank=True, help_text="The day on which the source was read.")
    method = CodeField(Method.choices, "Who or what read the source.", default=Method.PERSON)
    read_by = models.CharField(max_length=100, blank=True, help_text="The person, or the import's name.")

    class Meta:
        ordering = ["source__slug", "pk"]
        constraints = [
            exactly_one("citation", "record", CITABLE),
            models.UniqueConstraint(
                name="citation_once",
                fields=["source", *CITABLE, "locator", "fields"],
                nulls_distinct=False,
                violation_error_message="source: the record cites this source for these fields already.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.source}"

    @property
    def record(self) -> models.Model:
        """The record that is cited."""
        found: models.Model = next(record for name in CITABLE if (record := getattr(self, name)))
        return found
