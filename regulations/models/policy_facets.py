"""Where the ids of policies are looked for: one table in the order of lists, with what most questions ask for.

It has a row for each policy and one more for each of its topics, so that an index has what is asked in the order in
which it is shown, and answers alone: the newest policies are mostly not in force yet, and would all be looked at first.
Kept by the database (triggers policy_facets_*). A migration that changes what is declared here, or the rule
`policies.status_on`, runs `install()` again, and `regulations_rebuild_policy_facets()`.
"""

from collections.abc import Iterable
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Exists, F, Func, OuterRef, Q, Value
from django.db.models.expressions import RawSQL
from django.db.models.functions import Cast, Coalesce
from django.db.models.lookups import In

from regulations.models.base import Day
from regulations.models.policies import Policy, PolicyStatus, status_on
from regulations.models.statement_triggers import KEPT_PLANS, PLANNED_FOR_MANY, ROWS, statement_trigger

# The topic of the row that stands for the policy itself, whatever its topics.
ANY_TOPIC = 0
# Statuses are kept as numbers, for brevity.
_NUMBERS = {word: number for number, word in enumerate(PolicyStatus.values, start=1)}
_WORDS = ", ".join(f"'{word}'" for word in _NUMBERS)
_FIRST = _NUMBERS[PolicyStatus.NOT_YET_ANNOUNCED]
_IN_FORCE = _NUMBERS[PolicyStatus.IN_FORCE]


class PolicyFacet(models.Model):
    """A policy, or a policy under one of its topics, with the days on which its status changes."""

    pk = models.CompositePrimaryKey("policy_id", "topic_id")
    policy = models.ForeignKey(
        Policy, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+", help_text="The policy."
    )
    topic_id = models.BigIntegerField(help_text="One of its topics; 0 for the policy itself.")
    jurisdiction = models.ForeignKey(
        "regulations.Jurisdiction",
        models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="+",
        help_text="Whose law it is.",
    )
    kind = models.CharField(max_length=32, db_collation="C", help_text="What sort of instrument it is.")
    introduced_on = models.DateField(null=True, help_text="The date of the first milestone.")
    slug = models.CharField(max_length=120, db_collation="C", help_text="The policy's key.")
    days = ArrayField(models.DateField(), help_text="The days of its milestones, in order.")
    statuses = ArrayField(models.SmallIntegerField(), help_text="Its status from each of these days on, as a number.")
    in_force_from = models.GeneratedField(
        expression=Func(
            F("days"),
            Func(F("statuses"), Cast(Value(_IN_FORCE), models.SmallIntegerField()), function="array_position"),
            template="(%(expressions)s]",
            arg_joiner=")[",
        ),
        output_field=models.DateField(null=True),
        db_persist=True,
        help_text="The first day on which it is in force.",
    )

    class Meta:
        indexes = [
            models.Index(
                "topic_id",
                F("introduced_on").desc(nulls_last=True),
                "slug",
                # Not for the order: the index passes over by itself what was not in force yet, seven thousand for an old day.
                "in_force_from",
                name="policyfacet_newest",
                include=["policy", "jurisdiction", "kind", "days", "statuses"],
            ),
            models.Index(
                "topic_id",
                "jurisdiction",
                F("introduced_on").desc(nulls_last=True),
                "slug",
                "in_force_from",
                name="policyfacet_newest_by_place",
                include=["policy", "kind", "days", "statuses"],
            ),
        ]

    def __str__(self) -> str:
        return f"{self.slug}, {self.topic_id}"


def _status_number(on: Day) -> Coalesce:
    """The number of a row's status as of a day; before the first of its days that of a policy not yet announced."""
    place = Func(on, F("days"), function="width_bucket", output_field=models.IntegerField())
    at_place = {"template": "%(expressions)s]", "arg_joiner": "[", "output_field": models.SmallIntegerField()}
    return Coalesce(Func(F("statuses"), place, **at_place), Value(_FIRST))


def facet_status_on(on: Day) -> Func:
    """A row's status as of a day, as a word; the same as `policies.status_on`."""
    return status_word(_status_number(on))


def status_word(number: F | Coalesce) -> Func:
    """The status with this number, as a word."""
    return Func(number, template=f"(ARRAY[{_WORDS}])[%(expressions)s]", output_field=models.CharField(max_length=32))


def status_numbers(words: Iterable[str]) -> list[int]:
    """The numbers of some statuses."""
    return [_NUMBERS[word] for word in words]


def facet_has_status_q(words: Iterable[str], on: Day) -> Q:
    """A row's policy has one of these statuses as of the day."""
    numbers = status_numbers(words)
    has_status = Q(In(_status_number(on), numbers))
    if numbers == [_IN_FORCE]:
        has_status &= Q(in_force_from__lte=on)
    # Whatever has a status was introduced by then: so an index starts at the right place.
    return has_status if _FIRST in numbers else has_status & Q(introduced_on__lte=on)


def of_topics_q(ids: Any) -> Q:
    """A row's policy has one of these topics. ids: an array of them, as an expression."""
    same = PolicyFacet.objects.filter(policy=OuterRef("policy"), topic_id__any_of=ids)
    return Q(Exists(same))


def _rule() -> str:
    """The status of `policy` as of `step.date`, as SQL."""
    rows = Policy.objects.order_by().filter(pk=RawSQL("policy.id", []))
    sql, params = rows.values_list(status_on(RawSQL("step.date", []))).query.sql_with_params()
    return sql % tuple(f"'{param}'" if isinstance(param, str) else param for param in params)


def install() -> str:
    """The SQL that keeps the table; it is filled by regulations_rebuild_policy_facets()."""
    columns = ["policy_id", "topic_id", "jurisdiction_id", "kind", "introduced_on", "slug", "days", "statuses"]
    names, others = ", ".join(columns), ", ".join(columns[2:])
    kept, new = (", ".join(f"{row}.{name}" for name in columns[2:]) for row in ("kept", "excluded"))
    return f"""
-- What the table is to say.
CREATE OR REPLACE VIEW regulations_policyfacet_due AS
SELECT policy.id AS policy_id, topic.id AS topic_id, policy.jurisdiction_id, policy.kind, policy.introduced_on,
       policy.slug, life.days, life.statuses
FROM regulations_policy AS policy
CROSS JOIN LATERAL (
    SELECT coalesce(array_agg(date ORDER BY date), '{{}}') AS days,
           coalesce(array_agg(array_position(ARRAY[{_WORDS}], status::text)::smallint ORDER BY date), '{{}}') AS statuses
    FROM (
        SELECT step.date, ({_rule()}) AS status
        FROM (SELECT DISTINCT date FROM regulations_milestone WHERE policy_id = policy.id) AS step
    ) AS lived
) AS life
CROSS JOIN LATERAL (
    SELECT {ANY_TOPIC}::bigint AS id UNION ALL
    SELECT topic_id FROM regulations_policy_topics WHERE policy_id = policy.id
) AS topic;

CREATE OR REPLACE FUNCTION regulations_refresh_policy_facets(ids bigint[]) RETURNS void LANGUAGE plpgsql
{KEPT_PLANS} AS $$
DECLARE
    has_changed boolean;
BEGIN
    IF cardinality(ids) = 0 THEN RETURN; END IF;
    {PLANNED_FOR_MANY}
    -- Whoever is about to change the same rows goes first, and is then seen.
    PERFORM FROM regulations_policyfacet WHERE policy_id = ANY (ids) AND topic_id = {ANY_TOPIC}
    ORDER BY policy_id FOR UPDATE;
    WITH due AS MATERIALIZED (
        SELECT {names} FROM regulations_policyfacet_due WHERE policy_id = ANY (ids)
    ), gone AS (
        DELETE FROM regulations_policyfacet AS kept WHERE policy_id = ANY (ids) AND NOT EXISTS (
            SELECT FROM due WHERE due.policy_id = kept.policy_id AND due.topic_id = kept.topic_id)
        RETURNING policy_id
    ), made AS (
        INSERT INTO regulations_policyfacet AS kept ({names}) SELECT {names} FROM due
        ON CONFLICT (policy_id, topic_id) DO UPDATE SET ({others}) = ROW ({new})
        WHERE ROW ({kept}) IS DISTINCT FROM ROW ({new})
        RETURNING policy_id
    )
    SELECT EXISTS (SELECT FROM gone) OR EXISTS (SELECT FROM made) INTO has_changed;
    IF has_changed THEN PERFORM regulations_change_of('regulations_policyfacet'); END IF;
END
$$;

CREATE OR REPLACE FUNCTION regulations_rebuild_policy_facets() RETURNS void LANGUAGE plpgsql
SET plan_cache_mode = force_custom_plan AS $$
BEGIN
    TRUNCATE regulations_policyfacet;
    INSERT INTO regulations_policyfacet ({names}) SELECT {names} FROM regulations_policyfacet_due;
END
$$;
{"".join(_triggers(*watched) for watched in _WATCHED)}"""  # noqa: S608 (all of it is ours)


# The tables that the rows are made of, with the column of the policy's id.
_WATCHED = [("policy", "id"), ("milestone", "policy_id"), ("policy_topics", "policy_id")]


def _triggers(table: str, column: str) -> str:
    made = ""
    for event, seen in ROWS.items():
        ids = " UNION ".join(f"SELECT {column} FROM {rows}" for rows in seen)  # noqa: S608
        refresh = f"PERFORM regulations_refresh_policy_facets(ARRAY({ids}));"
        made += statement_trigger("policy_facets", event, table, refresh)
    return made


def remove() -> str:
    """The SQL that takes back what `install` makes."""
    functions = [f"policy_facets_{event}_{table}()" for table, _ in _WATCHED for event in ROWS]
    functions += ["rebuild_policy_facets()", "refresh_policy_facets(bigint[])"]
    dropped = "".join(f"DROP FUNCTION IF EXISTS regulations_{name} CASCADE;" for name in functions)
    return f"{dropped} DROP VIEW IF EXISTS regulations_policyfacet_due;"
