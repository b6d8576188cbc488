"""Firms, projects and ventures in the market, their names and numbers, and how they hang together."""

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Func, Q

from regulations.models.base import (
    CodeField,
    Record,
    forward_span,
    honest_precision,
    key_field,
    precision_field,
)


def validate_lei(value: str) -> None:
    """Refuse a legal entity identifier whose form or check digits are wrong.

    Source: ISO 17442-1, with the check digits of ISO/IEC 7064, MOD 97-10.
    """
    if len(value) != 20 or not value.isascii() or not value.isalnum() or value != value.upper():
        raise ValidationError("A LEI has 20 characters, capital letters A to Z and digits.")
    if not value[18:].isdigit() or int("".join(str(int(character, 36)) for character in value)) % 97 != 1:
        raise ValidationError("The check digits of this LEI are wrong: compare it with its source.")


class LeiIsValid(Func):
    """The database's own check of a LEI (function regulations_lei_is_valid, migration 0001)."""

    function = "regulations_lei_is_valid"
    output_field = models.BooleanField()


class Company(Record):
    """A firm, project or venture in the market."""

    slug = key_field("The company's key in addresses, such as kucoin.")
    name = models.CharField(max_length=200, help_text="The name that the market uses.")
    legal_name = models.CharField(max_length=300, blank=True, help_text="The name in the company register.")
    lei = models.CharField(
        max_length=20,
        null=True,
        blank=True,
        unique=True,
        validators=[validate_lei],
        help_text="Legal entity identifier (ISO 17442): 20 characters, the last two are check digits.",
    )
    headquarters = models.ForeignKey(
        "regulations.Jurisdiction",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="headquartered_companies",
        help_text="Where it is run from.",
    )
    incorporated_in = models.ForeignKey(
        "regulations.Jurisdiction",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="incorporated_companies",
        help_text="Under whose law it is incorporated.",
    )
    activities = models.ManyToManyField(
        "regulations.Topic",
        related_name="companies",
        blank=True,
        help_text="What it does: topics of kind activity.",
    )
    website = models.URLField(max_length=300, blank=True, help_text="The company's own site.")
    founded_on = models.DateField(null=True, blank=True, help_text="When it was founded.")
    founded_on_precision = precision_field("founded_on")
    summary = models.TextField(blank=True, help_text="What it is and does, in one or two sentences.")

    class Meta:
        ordering = ["slug"]
        verbose_name_plural = "companies"
        # Walked from end to end by lists that few companies meet the filters of; without their rows.
        indexes = [models.Index("slug", name="company_by_slug", include=["id"])]
        constraints = [
            honest_precision("company", "founded_on"),
            models.CheckConstraint(
                name="company_lei_is_valid",
                condition=Q(lei__isnull=True) | Q(LeiIsValid("lei")),
                violation_error_message="lei: 20 characters with right check digits (ISO 17442), or nothing.",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class CompanyName(models.Model):
    """Another name of a company: an alias, a former name, a trading name."""

    class Kind(models.TextChoices):
        ALIAS = "alias", "Alias"
        FORMER = "former", "Former name"
        TRADING = "trading", "Trading name"

    company = models.ForeignKey(Company, models.CASCADE, related_name="names")
    name = models.CharField(max_length=200, help_text="The other name.")
    kind = CodeField(Kind.choices, "What sort of name it is.", default=Kind.ALIAS)
    valid_until = models.DateField(null=True, blank=True, help_text="The first day on which it was used no longer.")

    class Meta:
        ordering = ["company", "name"]
        constraints = [
            models.UniqueConstraint(
                name="companyname_once",
                fields=["company", "name"],
                violation_error_message="name: the company has this name already.",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class CompanyIdentifier(models.Model):
    """A number under which a register knows a company; its LEI stands with the company."""

    class Scheme(models.TextChoices):
        COMPANY_REGISTER = "company_register", "Company register"
        TAX = "tax", "Tax number"
        SUPERVISOR = "supervisor", "Supervisor's reference number"

    company = models.ForeignKey(Company, models.CASCADE, related_name="identifiers")
    scheme = CodeField(Scheme.choices, "What sort of register it is.")
    jurisdiction = models.ForeignKey(
        "regulations.Jurisdiction",
        models.PROTECT,
        related_name="+",
        help_text="Whose register it is.",
    )
    value = models.CharField(max_length=60, help_text="The number as the register writes it.")

    class Meta:
        ordering = ["company", "scheme", "value"]
        constraints = [
            models.UniqueConstraint(
                name="companyidentifier_once",
                fields=["scheme", "jurisdiction", "value"],
                violation_error_message="value: another company has this number in this register.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_scheme_display()} {self.value}"


class CompanyRelation(Record):
    """What one company is to another, read as a sentence: `company` is the `kind` of `target`."""

    class Kind(models.TextChoices):
        PARENT = "parent", "Parent of"
        SUBSIDIARY = "subsidiary", "Subsidiary of"
        INVESTOR = "investor", "Investor in"
        PARTNER = "partner", "Partner of"
        CONSORTIUM = "consortium", "Consortium member with"
        VALIDATOR = "validator", "Validator of"
        ACQUIRER = "acquirer", "Acquirer of"
        VENTURE_ARM = "venture_arm", "Venture arm of"
        LEAD = "lead", "Lead of"

    company = models.ForeignKey(
        Company,
        models.CASCADE,
        related_name="relations",
        help_text="The company that is something to the other.",
    )
    kind = CodeField(Kind.choices, "What it is to the other company.")
    target = models.ForeignKey(
        Company,
        models.CASCADE,
        related_name="inverse_relations",
        help_text="The company to which it is that.",
    )
    valid_from = models.DateField(null=True, blank=True, help_text="The first day; empty if not established.")
    valid_from_precision = precision_field("valid_from")
    valid_until = models.DateField(null=True, blank=True, help_text="The first day on which it held no longer.")
    group = models.CharField(
        max_length=200,
        blank=True,
        help_text="The agreement or consortium that several relations belong to.",
    )
    part = models.CharField(
        max_length=300,
        blank=True,
        help_text="What the company contributes or does in it.",
    )
    summary = models.TextField(blank=True, help_text="What one should know about it.")

    class Meta:
        ordering = ["company__slug", "kind", "target__slug"]
        constraints = [
            honest_precision("companyrelation", "valid_from"),
            forward_span("companyrelation", "valid_from", "valid_until"),
            models.UniqueConstraint(
                name="companyrelation_once",
                fields=["company", "kind", "target", "valid_from"],
                nulls_distinct=False,
                violation_error_message="target: this relation is there already.",
            ),
            models.CheckConstraint(
                name="companyrelation_to_another",
                condition=~Q(company=F("target")),
                violation_error_message="target: a company cannot be related to itself.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.company} – {self.get_kind_display()} – {self.target}"
