from django.db import models
from django.db.models import F, Q

from regulations.models.base import (
    CodeField,
    Record,
    at_most_one,
    honest_precision,
    key_field,
    precision_field,
)

SUBJECTS = ["jurisdiction", "regulator", "organisation", "company"]


class Figure(Record):
    """A reported number: about whom, what, how much, as of when, according to whom, and where it was read."""

    class Comparison(models.TextChoices):
        EXACTLY = "exactly", "Exactly"
        ABOUT = "about", "About"
        MORE_THAN = "more_than", "More than"
        LESS_THAN = "less_than", "Less than"

    key = key_field("The key in addresses: subject, metric and date.")
    jurisdiction = models.ForeignKey(
        "regulations.Jurisdiction",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="figures",
    )
    regulator = models.ForeignKey(
        "regulations.Regulator",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="figures",
    )
    organisation = models.ForeignKey(
        "regulations.Organisation",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="figures",
    )
    company = models.ForeignKey(
        "regulations.Company",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="figures",
    )
    about = models.CharField(
        max_length=200,
        blank=True,
        help_text="What it is about, where that is none of our records.",
    )
    metric = models.CharField(max_length=100, help_text="What is counted or measured, such as monthly visits.")
    comparison = CodeField(Comparison.choices, "Whether the number is exact.", default=Comparison.EXACTLY)
    value = models.DecimalField(max_digits=24, decimal_places=4, help_text="The number, in its unit.")
    unit = models.CharField(max_length=40, help_text="The unit: a currency code, accounts, visits, percent.")
    as_of = models.DateField(null=True, blank=True, help_text="The day for which the number was stated.")
    as_of_precision = precision_field("as_of")
    according_to_company = models.ForeignKey(
        "regulations.Company",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="The company whose number it is, where that is not the source's own.",
    )
    according_to_organisation = models.ForeignKey(
        "regulations.Organisation",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="The organisation whose number it is, where that is not the source's own.",
    )
    source = models.ForeignKey(
        "regulations.Source",
        models.PROTECT,
        related_name="figures",
        help_text="Where the number was read.",
    )

    class Meta:
        ordering = [F("as_of").desc(nulls_last=True), "key"]
        constraints = [
            honest_precision("figure", "as_of"),
            at_most_one("figure", "subject", SUBJECTS),
            at_most_one(
                "figure",
                "according_to",
                ["according_to_company", "according_to_organisation"],
            ),
            models.CheckConstraint(
                name="figure_about_something",
                condition=~Q(about="")
                | Q(jurisdiction__isnull=False)
                | Q(regulator__isnull=False)
                | Q(organisation__isnull=False)
                | Q(company__isnull=False),
                violation_error_message="about: choose a record, or say in words what the figure is about.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.metric}: {self.value.normalize():f} {self.unit}"
