"""What every record shares: names for choices, dated facts, spans of days, and the rules that the database keeps."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Func, Q
from django.db.models.expressions import Combinable
from django.db.models.functions import Extract
from django.db.models.lookups import Exact, LessThanOrEqual

# A day in the world: a date, or an expression that yields one (a parameter of a compiled query).
Day = date | Combinable


class DatePrecision(models.TextChoices):
    DAY = "day", "Day"
    MONTH = "month", "Month"
    YEAR = "year", "Year"


validate_slug = RegexValidator(
    r"^[a-z0-9]+(-[a-z0-9]+)*\Z",
    "Use lower-case letters a to z, digits and single hyphens between them.",
)
validate_currency = RegexValidator(r"^[A-Z]{3,5}\Z", "Use an ISO 4217 code such as USD, or a token's symbol.")


class Record(models.Model):
    """A row that people read: it obeys `full_clean()` at every door, and can be cited."""

    class Meta:
        abstract = True


def key_field(help_text: str) -> "models.CharField[str, str]":
    """A public natural key; sorted by code point, so that its order is the same on every server."""
    return models.CharField(
        max_length=120,
        unique=True,
        validators=[validate_slug],
        db_collation="C",
        help_text=help_text,
    )


class CodeField(models.CharField):  # type: ignore[type-arg]  # not subscriptable at run time
    """A coded value, stored as its word. The database refuses a word that is not among the choices."""

    def __init__(self, choices: Any = None, help_text: str = "", **options: Any) -> None:
        options.setdefault("max_length", 32)
        super().__init__(choices=choices, help_text=help_text, **options)

    def db_check(self, connection: Any) -> str:
        """The column's own CHECK. Django alters it for no new word: its migration does (`ANOTHER_WORD` of 0015)."""
        words = [word for word, _ in self.flatchoices] + ([""] if self.blank else [])
        listed = ", ".join(f"'{word}'" for word in words)
        return f"{connection.ops.quote_name(self.column)} IN ({listed})"


def precision_field(date_name: str) -> CodeField:
    """How exactly the date field `date_name` is known; pair it with `honest_precision`."""
    return CodeField(
        DatePrecision.choices,
        f"How exactly “{date_name.replace('_', ' ')}” is known. "
        "A month is written as its first day, a year as its 1 January.",
        default=DatePrecision.DAY,
    )


def honest_precision(model: str, field: str) -> models.CheckConstraint:
    """Keep a month on its first day and a year on its 1 January."""
    unknown = Q(**{f"{field}__isnull": True})
    first_of_month = Q(Exact(Extract(field, "day"), 1))
    first_of_year = first_of_month & Q(Exact(Extract(field, "month"), 1))
    precision = f"{field}_precision"
    return models.CheckConstraint(
        name=f"{model}_{precision}_honest",
        condition=Q(**{precision: DatePrecision.DAY})
        | Q(**{precision: DatePrecision.MONTH}) & (unknown | first_of_month)
        | Q(**{precision: DatePrecision.YEAR}) & (unknown | first_of_year),
        violation_error_message=f"{field}: write a month as its first day and a year as its 1 January.",
    )


def forward_span(model: str, start: str, end: str, *, may_be_empty: bool = False) -> models.CheckConstraint:
    """Refuse a span whose `end` comes before its `start`, or on it unless the span may be empty."""
    comparison, word = ("gte", "on or after") if may_be_empty else ("gt", "after")
    return models.CheckConstraint(
        name=f"{model}_{end}_after_{start}",
        condition=Q(**{f"{start}__isnull": True})
        | Q(**{f"{end}__isnull": True})
        | Q(**{f"{end}__{comparison}": F(start)}),
        violation_error_message=f"{end}: must be {word} {start}.",
    )


def exactly_one(model: str, name: str, fields: Sequence[str]) -> models.CheckConstraint:
    """Have exactly one of the foreign keys `fields` set: a reference to a record of one of several kinds."""
    return models.CheckConstraint(
        name=f"{model}_{name}_exactly_one",
        condition=Q(Exact(_count_set(fields), 1)),
        violation_error_message=f"Fill exactly one of {', '.join(fields)}.",
    )


def at_most_one(model: str, name: str, fields: Sequence[str]) -> models.CheckConstraint:
    """Like `exactly_one`, where none is a true answer too."""
    return models.CheckConstraint(
        name=f"{model}_{name}_at_most_one",
        condition=Q(LessThanOrEqual(_count_set(fields), 1)),
        violation_error_message=f"Fill at most one of {', '.join(fields)}.",
    )


def amount_with_currency(model: str, amount: str, currency: str) -> models.CheckConstraint:
    """Refuse money without its currency, a currency without money, and negative money."""
    return models.CheckConstraint(
        name=f"{model}_{amount}_has_currency",
        condition=Q(**{f"{amount}__isnull": True, currency: ""})
        | Q(**{f"{amount}__isnull": False, f"{amount}__gte": 0}) & ~Q(**{currency: ""}),
        violation_error_message=f"{amount}: give an amount of zero or more together with {currency}, or neither.",
    )


def span_covers(on: Day, start: str = "valid_from", end: str = "valid_until") -> Q:
    """The rule of every span: it holds from `start` until the day before `end`; an open side has no limit."""
    return (Q(**{f"{start}__isnull": True}) | Q(**{f"{start}__lte": on})) & (
        Q(**{f"{end}__isnull": True}) | Q(**{f"{end}__gt": on})
    )


def _count_set(fields: Sequence[str]) -> Func:
    return Func(*fields, function="num_nonnulls", output_field=models.IntegerField())
