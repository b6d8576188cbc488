"""People, and who holds which office where, from when to when."""

from typing import Self

from django.db import models
from django.db.models import F

from regulations.models.base import (
    Day,
    Record,
    exactly_one,
    forward_span,
    honest_precision,
    key_field,
    precision_field,
    span_covers,
)


class Person(Record):
    """A person who holds or held an office, or speaks at an event."""

    slug = key_field("The person's key in addresses, such as julia-leung.")
    name = models.CharField(max_length=200, help_text="The name in its usual order.")
    summary = models.TextField(blank=True, help_text="Who it is, in a sentence.")

    class Meta:
        ordering = ["slug"]
        verbose_name_plural = "people"

    def __str__(self) -> str:
        return self.name


class AppointmentQuerySet(models.QuerySet["Appointment"]):
    def on(self, day: Day) -> Self:
        """Keep the offices that were held on the day, as far as their known ends tell."""
        return self.filter(span_covers(day))


class Appointment(Record):
    """An office that a person holds at a regulator, an organisation or a company."""

    person = models.ForeignKey(Person, models.CASCADE, related_name="appointments", help_text="Who holds it.")
    regulator = models.ForeignKey(
        "regulations.Regulator",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="appointments",
    )
    organisation = models.ForeignKey(
        "regulations.Organisation",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="appointments",
    )
    company = models.ForeignKey(
        "regulations.Company",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="appointments",
    )
    title = models.CharField(max_length=200, blank=True, help_text="The office; empty if not established.")
    valid_from = models.DateField(
        null=True,
        blank=True,
        help_text="The first day in office; empty if not established.",
    )
    valid_from_precision = precision_field("valid_from")
    valid_until = models.DateField(null=True, blank=True, help_text="The first day out of office.")
    valid_until_precision = precision_field("valid_until")
    held_on = models.DateField(
        null=True,
        blank=True,
        help_text="A day on which a source shows the person in office, where the span is unknown.",
    )

    objects = AppointmentQuerySet.as_manager()

    class Meta:
        ordering = ["person__slug", F("valid_from").desc(nulls_last=True), "pk"]
        constraints = [
            exactly_one("appointment", "body", ["regulator", "organisation", "company"]),
            honest_precision("appointment", "valid_from"),
            honest_precision("appointment", "valid_until"),
            forward_span("appointment", "valid_from", "valid_until"),
            forward_span("appointment", "valid_from", "held_on", may_be_empty=True),
            models.UniqueConstraint(
                name="appointment_once",
                fields=[
                    "person",
                    "regulator",
                    "organisation",
                    "company",
                    "title",
                    "valid_from",
                ],
                nulls_distinct=False,
                violation_error_message="title: this appointment is there already.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.title or 'Office'} – {self.regulator or self.organisation or self.company}"
