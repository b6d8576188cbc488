"""Public bodies that make or enforce policy, and other bodies that matter and are no companies."""

from django.db import models

from regulations.models.base import CodeField, Record, key_field


class Regulator(Record):
    """A public body that makes or enforces policy: supervisor, central bank, ministry, government, standard setter."""

    class Kind(models.TextChoices):
        SECURITIES = "securities", "Securities supervisor"
        CENTRAL_BANK = "central_bank", "Central bank"
        INTEGRATED = "integrated", "Integrated supervisor"
        AML = "aml", "Financial intelligence or anti-money-laundering authority"
        COMMODITIES = "commodities", "Commodities supervisor"
        TAX = "tax", "Tax authority"
        GOVERNMENT = "government", "Government or ministry"
        STANDARD_SETTER = "standard_setter", "Standard setter"
        CONSUMER = "consumer", "Consumer protection authority"

    slug = key_field("The key in addresses: jurisdiction and abbreviation, such as hk-sfc.")
    name = models.CharField(
        max_length=200,
        help_text="The full name, in English where there is an official one.",
    )
    abbreviation = models.CharField(max_length=30, blank=True, help_text="The usual abbreviation, such as SFC.")
    jurisdiction = models.ForeignKey(
        "regulations.Jurisdiction",
        models.PROTECT,
        related_name="regulators",
        help_text="Whose law it makes or enforces.",
    )
    kind = CodeField(Kind.choices, "What sort of body it is.")
    website = models.URLField(max_length=300, blank=True, help_text="The body's own site.")
    summary = models.TextField(blank=True, help_text="What it does about crypto, in one or two sentences.")

    class Meta:
        ordering = ["slug"]

    def __str__(self) -> str:
        return f"{self.name} ({self.jurisdiction_id and self.slug})"


class Organisation(Record):
    """Any other body that matters and is no company: an association, an innovation hub, a publisher."""

    class Kind(models.TextChoices):
        ASSOCIATION = "association", "Association"
        INNOVATION_HUB = "innovation_hub", "Innovation hub"
        PUBLISHER = "publisher", "Publisher"
        GOVERNMENT = "government", "Government body outside regulation"

    slug = key_field("The key in addresses, such as cyberport.")
    name = models.CharField(
        max_length=200,
        help_text="The full name, in English where there is an official one.",
    )
    abbreviation = models.CharField(max_length=30, blank=True, help_text="The usual abbreviation.")
    kind = CodeField(Kind.choices, "What sort of body it is.")
    jurisdiction = models.ForeignKey(
        "regulations.Jurisdiction",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="organisations",
        help_text="Where it has its seat, if established.",
    )
    website = models.URLField(max_length=300, blank=True, help_text="The body's own site.")
    summary = models.TextField(blank=True, help_text="What it does, in one or two sentences.")

    class Meta:
        ordering = ["slug"]

    def __str__(self) -> str:
        return self.name
