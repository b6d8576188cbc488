"""Places and blocs whose law applies, and whose law reaches which place when."""

from collections.abc import Mapping
from typing import Any, Self

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeBoundary, RangeOperators
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Case, Deferrable, Exists, F, Func, OuterRef, Q, When
from django.db.models.functions import Cast
from django.db.models.lookups import LessThan

from regulations.models.base import (
    CodeField,
    Day,
    Record,
    forward_span,
    span_covers,
)

# ISO 3166-1 alpha-2 (with the reserved EU), ISO 3166-2 for subdivisions, and our EEA and INT.
CODE_PATTERN = r"^([A-Z]{2}(-[A-Z0-9]{1,3})?|EEA|INT)\Z"


class DateRange(Func):
    """The days of a span, from its first until the day before its end; a missing end is open."""

    function = "daterange"

    def __init__(self, start: str = "valid_from", end: str = "valid_until") -> None:
        super().__init__(start, end, RangeBoundary())

    def replace_expressions(self, replacements: Mapping[Self, Any]) -> Self:
        """Let `full_clean()` ask about a row's own span as if one that runs backwards were empty.

        PostgreSQL refuses to build such a range, which would be an error page; `forward_span` says what is wrong.
        """
        asked = super().replace_expressions(replacements)
        start, end, bounds = asked.get_source_expressions()
        start, end = Cast(start, models.DateField()), Cast(end, models.DateField())
        asked.set_source_expressions([start, Case(When(LessThan(end, start), then=start), default=end), bounds])
        return asked


class Jurisdiction(Record):
    """A place or bloc whose law applies."""

    class Kind(models.TextChoices):
        COUNTRY = "country", "Country"
        TERRITORY = "territory", "Territory"
        SUBDIVISION = "subdivision", "Subdivision"
        SUPRANATIONAL = "supranational", "Supranational bloc"
        INTERNATIONAL = "international", "International"

    code = models.CharField(
        max_length=6,
        unique=True,
        db_collation="C",
        validators=[
            RegexValidator(
                CODE_PATTERN,
                "Use an ISO 3166 code such as HK or US-NY, or EU, EEA, INT.",
            )
        ],
        help_text="ISO 3166-1 alpha-2 (HK), ISO 3166-2 for a subdivision (US-NY), EU, EEA, or INT.",
    )
    name = models.CharField(max_length=100, help_text="The name in common use, such as Hong Kong.")
    official_name = models.CharField(
        max_length=200,
        blank=True,
        help_text="The name as ISO 3166 gives it, where it differs from the common one.",
    )
    kind = CodeField(Kind.choices, "What sort of place or bloc it is.")
    parent = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="parts",
        help_text="The jurisdiction in which it lies. Whose law applies there is told by its memberships.",
    )
    summary = models.TextField(blank=True, help_text="How crypto is regulated there, in one or two sentences.")

    class Meta:
        ordering = ["code"]
        constraints = [
            models.CheckConstraint(
                name="jurisdiction_code_is_iso",
                condition=Q(code__regex=CODE_PATTERN.replace(r"\Z", "$")),
                violation_error_message="code: use an ISO 3166 code such as HK or US-NY, or EU, EEA, INT.",
            ),
            models.CheckConstraint(
                name="jurisdiction_lies_in_another",
                condition=Q(parent__isnull=True) | ~Q(parent=F("id")),
                violation_error_message="parent: a jurisdiction cannot lie in itself.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.code})"


class MembershipQuerySet(models.QuerySet["Membership"]):
    def on(self, day: Day) -> Self:
        """Keep the memberships that held on the day."""
        return self.filter(span_covers(day))


class Membership(Record):
    """A place's membership of a bloc over a span of days, and whether the bloc's law applies in the place."""

    member = models.ForeignKey(
        Jurisdiction,
        models.PROTECT,
        related_name="memberships",
        help_text="The place that belongs to the bloc.",
    )
    bloc = models.ForeignKey(
        Jurisdiction,
        models.PROTECT,
        related_name="members",
        help_text="The bloc or state that it belongs to.",
    )
    valid_from = models.DateField(null=True, blank=True, help_text="The first day; empty if it was always so.")
    valid_until = models.DateField(
        null=True,
        blank=True,
        help_text="The first day on which it held no longer; empty while it holds.",
    )
    law_applies = models.BooleanField(
        default=True,
        help_text="Whether the bloc's law applies in the place: EU law in Germany yes, Chinese in HK no.",
    )
    summary = models.TextField(
        blank=True,
        help_text="What one should know about it, such as a transition period.",
    )

    objects = MembershipQuerySet.as_manager()

    class Meta:
        ordering = ["member__code", "bloc__code", F("valid_from").asc(nulls_first=True)]
        constraints = [
            forward_span("membership", "valid_from", "valid_until"),
            models.CheckConstraint(
                name="membership_of_another",
                condition=~Q(member=F("bloc")),
                violation_error_message="bloc: a place cannot be a member of itself.",
            ),
            ExclusionConstraint(
                name="membership_spans_apart",
                # Looked at after each statement, so that one statement may move the border between two spans.
                deferrable=Deferrable.IMMEDIATE,
                expressions=[
                    ("member", RangeOperators.EQUAL),
                    ("bloc", RangeOperators.EQUAL),
                    (DateRange(), RangeOperators.OVERLAPS),
                ],
                violation_error_message="valid_from: another membership of the same bloc covers some of these days.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.member.code} in {self.bloc.code}"


def law_reaches_q(law_of: str, places: Q, on: Day) -> Q:
    """The rows whose law (a jurisdiction's id, by the path `law_of`) applied in one of `places` on the day `on`.

    places: a condition on Jurisdiction that picks the places asked about.
    Chains of two are followed (place, country, bloc), which is as long as they are.
    """
    binding = Membership.objects.filter(law_applies=True).on(on)
    in_places = Jurisdiction.objects.filter(places).values("pk")
    countries = binding.filter(member__in=in_places)
    own = Q(**{f"{law_of}__in": in_places})
    direct = Exists(countries.filter(bloc=OuterRef(law_of)))
    through_country = Exists(binding.filter(bloc=OuterRef(law_of), member__in=countries.values("bloc")))
    return own | Q(direct) | Q(through_country)
