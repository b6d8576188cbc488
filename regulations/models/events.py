"""Conferences, hackathons, hearings: when, where, by whom, with whom."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F

from regulations.models.base import (
    CodeField,
    Record,
    amount_with_currency,
    exactly_one,
    forward_span,
    honest_precision,
    key_field,
    precision_field,
    validate_currency,
)


class Event(Record):
    """A conference, hackathon or hearing."""

    class Kind(models.TextChoices):
        CONFERENCE = "conference", "Conference"
        HACKATHON = "hackathon", "Hackathon"
        HEARING = "hearing", "Hearing"

    slug = key_field("The event's key in addresses, such as consensus-hong-kong-2025.")
    name = models.CharField(max_length=200, help_text="The event's name.")
    kind = CodeField(Kind.choices, "What sort of event it is.")
    starts_on = models.DateField(null=True, blank=True, help_text="The first day.")
    starts_on_precision = precision_field("starts_on")
    ends_on = models.DateField(
        null=True,
        blank=True,
        help_text="The last day, which still belongs to the event.",
    )
    jurisdiction = models.ForeignKey(
        "regulations.Jurisdiction",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="events",
        help_text="Where it takes place; empty if only online.",
    )
    place = models.CharField(max_length=200, blank=True, help_text="The venue or city.")
    prize_amount = models.DecimalField(
        max_digits=20,
        decimal_places=2,
        null=True,
        blank=True,
        help_text="The prize in all.",
    )
    prize_currency = models.CharField(
        max_length=5,
        blank=True,
        validators=[validate_currency],
        help_text="ISO 4217 code of the prize's currency.",
    )
    prize_note = models.CharField(max_length=200, blank=True, help_text="Who gives how much.")
    themes = ArrayField(
        models.CharField(max_length=200),
        default=list,
        blank=True,
        help_text="What entries or talks are about.",
    )
    speakers = models.ManyToManyField(
        "regulations.Person",
        related_name="events",
        blank=True,
        help_text="Who speaks there.",
    )
    summary = models.TextField(blank=True, help_text="What it is about, in one or two sentences.")

    class Meta:
        ordering = [F("starts_on").desc(nulls_last=True), "slug"]
        constraints = [
            honest_precision("event", "starts_on"),
            forward_span("event", "starts_on", "ends_on", may_be_empty=True),
            amount_with_currency("event", "prize_amount", "prize_currency"),
        ]

    def __str__(self) -> str:
        return self.name


class EventStep(models.Model):
    """A dated step of an event, such as the close of submissions."""

    class Kind(models.TextChoices):
        REGISTRATION_OPENS = "registration_opens", "Registration opens"
        SUBMISSIONS_OPEN = "submissions_open", "Submissions open"
        SUBMISSIONS_CLOSE = "submissions_close", "Submissions close"
        FINALISTS_ANNOUNCED = "finalists_announced", "Finalists announced"
        DEMO_DAY = "demo_day", "Demo day"
        WINNERS_ANNOUNCED = "winners_announced", "Winners announced"
        SESSION = "session", "Session"

    event = models.ForeignKey(Event, models.CASCADE, related_name="steps")
    kind = CodeField(Kind.choices, "What happens.")
    date = models.DateField(help_text="The day of the step.")
    date_precision = precision_field("date")
    place = models.CharField(max_length=200, blank=True, help_text="Where, if not at the event's own place.")

    class Meta:
        ordering = ["event", "date", "pk"]
        constraints = [
            honest_precision("eventstep", "date"),
            models.UniqueConstraint(
                name="eventstep_once",
                fields=["event", "kind", "date"],
                violation_error_message="kind: this step is there already.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}, {self.date}"


class EventOrganiser(models.Model):
    """A body that organises an event."""

    event = models.ForeignKey(Event, models.CASCADE, related_name="organisers")
    regulator = models.ForeignKey(
        "regulations.Regulator",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="organised_events",
    )
    organisation = models.ForeignKey(
        "regulations.Organisation",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="organised_events",
    )
    company = models.ForeignKey(
        "regulations.Company",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="organised_events",
    )

    class Meta:
        ordering = ["event", "pk"]
        constraints = [
            exactly_one("eventorganiser", "body", ["regulator", "organisation", "company"]),
            models.UniqueConstraint(
                name="eventorganiser_once",
                fields=["event", "regulator", "organisation", "company"],
                nulls_distinct=False,
                violation_error_message="This body organises the event already.",
            ),
        ]

    def __str__(self) -> str:
        return str(self.regulator or self.organisation or self.company)
