"""Publications: what they are, what they mention, what else to read."""

from typing import Any

from django.db import models
from django.db.models import F, Q

from regulations.models.base import CodeField, Record, exactly_one, key_field


class Source(Record):
    """A publication: news article, official page, legal text, law-firm note, research, register extract."""

    class Kind(models.TextChoices):
        OFFICIAL = "official", "Official page"
        LEGAL_TEXT = "legal_text", "Legal text"
        LAW_FIRM = "law_firm", "Law-firm note"
        NEWS = "news", "News"
        RESEARCH = "research", "Research"
        REGISTER = "register", "Register extract"
        WHITE_PAPER = "white_paper", "White paper"

    slug = key_field("The source's key in addresses, such as hk-sfc-aspire-2025.")
    title = models.CharField(max_length=400, help_text="The title as published.")
    url = models.URLField(
        max_length=600,
        blank=True,
        help_text="The public address; empty if none is known.",
    )
    kind = CodeField(Kind.choices, "What sort of publication it is.")
    publisher = models.ForeignKey(
        "regulations.Organisation",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="sources",
        help_text="The organisation that published it.",
    )
    publishing_regulator = models.ForeignKey(
        "regulations.Regulator",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="sources",
        help_text="The regulator that published it, if it was one.",
    )
    publishing_company = models.ForeignKey(
        "regulations.Company",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="publications",
        help_text="The company that published it, such as the issuer of a white paper.",
    )
    category = models.CharField(max_length=100, blank=True, help_text="The section in which it was published.")
    published_on = models.DateField(null=True, blank=True, help_text="The day it bears; empty if not known.")
    stated_at = models.CharField(
        max_length=60,
        blank=True,
        help_text="The time as printed on it, in the publisher's own form and zone.",
    )
    language = models.CharField(max_length=10, default="en", help_text="ISO 639 code of its language.")
    image_url = models.URLField(max_length=600, blank=True, help_text="The address of its picture.")
    image_credit = models.CharField(max_length=200, blank=True, help_text="Whom the picture is credited to.")
    related = models.ManyToManyField(
        "self",
        through="regulations.SourceRelation",
        symmetrical=False,
        related_name="related_from",
        blank=True,
    )
    summary = models.TextField(blank=True, help_text="What it says, in our own words.")

    class Meta:
        ordering = [F("published_on").desc(nulls_last=True), "slug"]
        constraints = [
            exactly_one("source", "publisher", ["publisher", "publishing_regulator", "publishing_company"]),
        ]
        indexes = [models.Index(F("published_on").desc(nulls_last=True), "slug", name="source_newest")]

    def __str__(self) -> str:
        return self.title


class SourceRelation(models.Model):
    """More to read: another source that a source points to, in the order of its page."""

    source = models.ForeignKey(Source, models.CASCADE, related_name="related_sources")
    target = models.ForeignKey(
        Source,
        models.CASCADE,
        related_name="related_from_sources",
        help_text="The other source.",
    )
    position = models.PositiveSmallIntegerField(help_text="Its place in the list, counted from 1.")

    class Meta:
        ordering = ["source", "position"]
        constraints = [
            models.UniqueConstraint(
                name="sourcerelation_position_once",
                fields=["source", "position"],
                violation_error_message="position: another source stands there already.",
            ),
            models.UniqueConstraint(
                name="sourcerelation_once",
                fields=["source", "target"],
                violation_error_message="target: this source is listed already.",
            ),
            models.CheckConstraint(
                name="sourcerelation_to_another",
                condition=~Q(source=F("target")),
                violation_error_message="target: a source is not related to itself.",
            ),
        ]

    def __str__(self) -> str:
        return str(self.target)


# The kinds of record that a source can mention, by the name of their foreign key.
MENTIONABLE = [
    "jurisdiction",
    "regulator",
    "organisation",
    "policy",
    "company",
    "person",
    "event",
    "enforcement_action",
    "measure",
]


def _mentioned(model: str) -> "models.ForeignKey[Any, Any]":
    return models.ForeignKey(
        f"regulations.{model}",
        models.CASCADE,
        null=True,
        blank=True,
        related_name="mentions",
    )


class Mention(models.Model):
    """A record that a source names, whether or not it rests on the source."""

    source = models.ForeignKey(Source, models.CASCADE, related_name="mentions")
    position = models.PositiveSmallIntegerField(help_text="Its place in the list, counted from 1.")
    jurisdiction = _mentioned("Jurisdiction")
    regulator = _mentioned("Regulator")
    organisation = _mentioned("Organisation")
    policy = _mentioned("Policy")
    company = _mentioned("Company")
    person = _mentioned("Person")
    event = _mentioned("Event")
    enforcement_action = _mentioned("EnforcementAction")
    measure = _mentioned("Measure")

    class Meta:
        ordering = ["source", "position"]
        constraints = [
            exactly_one("mention", "record", MENTIONABLE),
            models.UniqueConstraint(
                name="mention_position_once",
                fields=["source", "position"],
                violation_error_message="position: another record stands there already.",
            ),
            models.UniqueConstraint(
                name="mention_once",
                fields=["source", *MENTIONABLE],
                nulls_distinct=False,
                violation_error_message="The source mentions this record already.",
            ),
        ]

    def __str__(self) -> str:
        return str(self.record)

    @property
    def record(self) -> models.Model:
        """The record that is mentioned."""
        found: models.Model = next(record for name in MENTIONABLE if (record := getattr(self, name)))
        return found
