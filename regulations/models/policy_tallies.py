"""How many policies there are: by place, topic and kind, and by status, as of any day.

A status begins and ends on days, so the policies that have it on a day are those that came to it by then without those
that left it: what stands here is by how many each number grew, so that no day needs a row of its own and none is ever
out of date. Kept by triggers on `PolicyFacet` (see sums). A migration that changes what is declared here runs `install()`
again, and `fill()`.
"""

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Case, F, Func, QuerySet, Value, When

from regulations.models.base import Day
from regulations.models.policy_facets import ANY_TOPIC
from regulations.models.sums import Sums

# What stands in a column by which a row tells no policies apart.
ANY = ANY_TOPIC
ANY_KIND = ""
# What has no day, and a status before the first step, which is the first of all, count from the first day of all.
_BEGINNING = "date '0001-01-01'"
_FIRST = 1
_DAYS = range(1, 32)


class PolicyTally(models.Model):
    """By how many a number of policies grew on each day of a month.

    Rows without a status tell policies apart by any of place, topic and kind at once; rows with a status by one of these
    at most, or there would be more of them than of policies.
    """

    pk = models.CompositePrimaryKey("kind", "topic_id", "status", "jurisdiction_id", "month", "change_id")
    kind = models.CharField(max_length=32, db_collation="C", help_text="What sort of instruments; empty for all.")
    topic_id = models.BigIntegerField(help_text="Those of a topic; 0 for all.")
    status = models.SmallIntegerField(help_text="Those with a status, as a number; 0 for all.")
    jurisdiction_id = models.BigIntegerField(help_text="Those of a place; 0 for all.")
    month = models.DateField(help_text="The first day of the month.")
    change_id = models.BigIntegerField(help_text="The change that is under way; 0 for all that are done.")
    growth = ArrayField(
        models.IntegerField(),
        help_text="By how many there were more than before the month, by the end of each of 31 days.",
    )

    class Meta:
        indexes = [
            models.Index("change_id", name="policytally_under_way", condition=~models.Q(change_id=0)),
        ]

    def __str__(self) -> str:
        return f"{self.month}: {self.growth[-1]}"


def tallies_on(on: Day) -> QuerySet[PolicyTally]:
    """The rows by the day, each with `grown`: by how many its number grew by then."""
    first, last = (Func(on, template=template, output_field=field) for template, field in _MONTH)
    day = Case(When(month=first, then=last), default=Value(31), output_field=models.IntegerField())
    grown = Func(F("growth"), day, template="%(expressions)s]", arg_joiner="[", output_field=models.IntegerField())
    return PolicyTally.objects.filter(month__lte=first).annotate(grown=grown)


_MONTH: list[tuple[str, "models.Field[Any, Any]"]] = [
    ("date_trunc('month', %(expressions)s::timestamp)::date", models.DateField()),
    ("date_part('day', %(expressions)s)::integer", models.IntegerField()),
]


def _growths(rows: str) -> str:
    """The rows of the table for these rows of PolicyFacet, each with `sign`: -1 for one that is taken away."""
    by_day = ", ".join(f"coalesce(sum(grown) FILTER (WHERE day <= {day}), 0)::integer" for day in _DAYS)
    # Summed before policies are told apart in several ways, by what most have in common.
    return f"""
        WITH told AS MATERIALIZED (SELECT * FROM {rows}), present AS (
            SELECT kind, topic_id, jurisdiction_id, sum(sign) AS grown FROM told GROUP BY 1, 2, 3
        ), lived AS (
            SELECT kind, topic_id, jurisdiction_id, {_FIRST}::smallint AS status, {_BEGINNING} AS date, sign FROM told
            UNION ALL
            SELECT kind, topic_id, jurisdiction_id, turn.status, step.date, told.sign * turn.sign
            FROM told CROSS JOIN LATERAL unnest(days, statuses, {_FIRST}::smallint || statuses) AS step (date, after, before)
            CROSS JOIN LATERAL (VALUES (step.after, 1), (step.before, -1)) AS turn (status, sign)
            WHERE step.after <> step.before
        ), dated AS (
            SELECT '{ANY_KIND}' AS kind, topic_id, {ANY}::bigint AS jurisdiction_id, status, date, sum(sign) AS grown
            FROM lived WHERE topic_id <> {ANY} GROUP BY topic_id, status, date
            UNION ALL
            SELECT coalesce(kind, '{ANY_KIND}'), {ANY}, coalesce(jurisdiction_id, {ANY}), status, date, sum(sign)
            FROM lived WHERE topic_id = {ANY}
            GROUP BY GROUPING SETS ((status, date), (jurisdiction_id, status, date), (kind, status, date))
            UNION ALL
            SELECT coalesce(kind, '{ANY_KIND}'), topic_id, coalesce(jurisdiction_id, {ANY}), 0, {_BEGINNING}, sum(grown)
            FROM present GROUP BY topic_id, CUBE (kind, jurisdiction_id)
        )
        SELECT kind, topic_id, status, jurisdiction_id, date_trunc('month', date::timestamp)::date AS month,
               ARRAY[{by_day}] AS growth
        FROM (
            SELECT kind, topic_id, status, jurisdiction_id, date, grown::integer, date_part('day', date)::integer AS day
            FROM dated WHERE grown <> 0
        ) AS grown
        GROUP BY 1, 2, 3, 4, 5
    """  # noqa: S608 (all of it is ours)


_SUMS = Sums(
    name="policy_tallies",
    table="policytally",
    of=("policyfacet", "topic_id, jurisdiction_id, kind, days, statuses"),
    cell="kind, topic_id, status, jurisdiction_id, month",
    number="growth",
    counted=_growths,
    added=f"ARRAY[{', '.join(f'kept.growth[{day}] + excluded.growth[{day}]' for day in _DAYS)}]",
)
install, fill, remove = _SUMS.install, _SUMS.fill, _SUMS.remove
