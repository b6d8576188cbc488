"""Where companies are looked for by a permission: one table in the order of companies, a row for each authorisation.

It has an authorisation's own columns and its activities beside its company's key, so that an index by regulator, or by
place, has the companies in the order in which they are shown, and what is asked of their permissions: it is walked from
its beginning until a page is full. Kept by the database (triggers authorisation_facets_*). A migration that changes what
is declared here runs `install()` again, and `regulations_rebuild_authorisation_facets()`.
"""

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from regulations.models.authorisations import Authorisation
from regulations.models.statement_triggers import KEPT_PLANS, PLANNED_FOR_MANY, statement_trigger


class AuthorisationFacet(models.Model):
    """An authorisation, what it permits, and the key of the company that holds it."""

    authorisation = models.OneToOneField(
        Authorisation,
        models.DO_NOTHING,
        primary_key=True,
        db_constraint=False,
        related_name="+",
        help_text="The authorisation.",
    )
    company = models.ForeignKey(
        "regulations.Company",
        models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="+",
        help_text="Who is permitted.",
    )
    slug = models.CharField(max_length=120, db_collation="C", help_text="The company's key.")
    regulator = models.ForeignKey(
        "regulations.Regulator",
        models.DO_NOTHING,
        null=True,
        db_constraint=False,
        db_index=False,
        related_name="+",
        help_text="Who permits it.",
    )
    jurisdiction = models.ForeignKey(
        "regulations.Jurisdiction",
        models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="+",
        help_text="Under whose law it is.",
    )
    kind = models.CharField(max_length=32, db_collation="C", help_text="What sort of permission it is.")
    activities = ArrayField(models.BigIntegerField(), help_text="The topics that it permits.")
    applied_on = models.DateField(null=True, help_text="When it was applied for.")
    granted_on = models.DateField(null=True, help_text="The first day on which it was held.")
    ended_on = models.DateField(null=True, help_text="The first day on which it was held no longer.")

    class Meta:
        # The company is among what is ordered by, so that the rows of one stand together and are told once.
        indexes = [
            models.Index(
                "regulator",
                "slug",
                "company",
                name="authorisationfacet_regulator",
                include=["jurisdiction", "kind", "activities", "applied_on", "granted_on", "ended_on"],
            ),
            models.Index(
                "jurisdiction",
                "slug",
                "company",
                name="authorisationfacet_place",
                include=["regulator", "kind", "activities", "applied_on", "granted_on", "ended_on"],
            ),
        ]

    def __str__(self) -> str:
        return f"{self.slug}, {self.authorisation_id}"


def permits_q(ids: Any) -> Q:
    """A row's authorisation permits one of these activities. ids: an array of topics' ids, as an expression."""
    return Q(activities__overlap=ids)


_COLUMNS = [
    *("authorisation_id", "company_id", "slug", "regulator_id", "jurisdiction_id"),
    *("kind", "activities", "applied_on", "granted_on", "ended_on"),
]
_NAMES = ", ".join(_COLUMNS)
_DUE = """
    SELECT authorisation.id AS authorisation_id, company_id, company.slug, regulator_id, jurisdiction_id, kind, ARRAY(
        SELECT topic_id FROM regulations_authorisation_activities
        WHERE authorisation_id = authorisation.id ORDER BY topic_id
    ) AS activities, applied_on, granted_on, ended_on
    FROM regulations_authorisation AS authorisation
    JOIN regulations_company AS company ON company.id = company_id
"""

# The tables that the rows are made of, with what is done to them, and which authorisations that concerns.
_OF_COMPANIES = "SELECT id FROM regulations_authorisation WHERE company_id IN (SELECT id FROM ({}) AS companies)"
_CONCERNED = {
    ("authorisation", "insert"): "SELECT id FROM new_rows",
    ("authorisation", "update"): "SELECT id FROM new_rows UNION SELECT id FROM old_rows",
    ("authorisation", "delete"): "SELECT id FROM old_rows",
    ("authorisation_activities", "insert"): "SELECT authorisation_id FROM new_rows",
    ("authorisation_activities", "update"): (
        "SELECT authorisation_id FROM new_rows UNION SELECT authorisation_id FROM old_rows"
    ),
    ("authorisation_activities", "delete"): "SELECT authorisation_id FROM old_rows",
    # A company may come after its authorisations, as foreign keys are checked at the end; it never goes before them.
    ("company", "insert"): _OF_COMPANIES.format("SELECT id FROM new_rows"),
    ("company", "update"): _OF_COMPANIES.format("SELECT id, slug FROM new_rows EXCEPT SELECT id, slug FROM old_rows"),
}


def install() -> str:
    """The SQL that keeps the table; it is filled by regulations_rebuild_authorisation_facets()."""
    others = ", ".join(_COLUMNS[1:])
    kept, new = (", ".join(f"{row}.{name}" for name in _COLUMNS[1:]) for row in ("kept", "excluded"))
    return f"""
CREATE OR REPLACE FUNCTION regulations_refresh_authorisation_facets(ids bigint[]) RETURNS void LANGUAGE plpgsql
{KEPT_PLANS} AS $$
DECLARE
    has_changed boolean;
BEGIN
    IF cardinality(ids) = 0 THEN RETURN; END IF;
    {PLANNED_FOR_MANY}
    -- Who is about to give their companies other keys, or to change the same rows, goes first, and is then seen.
    PERFORM FROM regulations_company
    WHERE id IN (SELECT company_id FROM regulations_authorisation WHERE id = ANY (ids)) ORDER BY id FOR KEY SHARE;
    PERFORM FROM regulations_authorisationfacet WHERE authorisation_id = ANY (ids)
    ORDER BY authorisation_id FOR UPDATE;
    WITH due AS MATERIALIZED (
        {_DUE} WHERE authorisation.id = ANY (ids)
    ), gone AS (
        DELETE FROM regulations_authorisationfacet AS kept WHERE authorisation_id = ANY (ids)
        AND NOT EXISTS (SELECT FROM due WHERE due.authorisation_id = kept.authorisation_id)
        RETURNING authorisation_id
    ), made AS (
        INSERT INTO regulations_authorisationfacet AS kept ({_NAMES}) SELECT {_NAMES} FROM due
        ON CONFLICT (authorisation_id) DO UPDATE SET ({others}) = ROW ({new})
        WHERE ROW ({kept}) IS DISTINCT FROM ROW ({new})
        RETURNING authorisation_id
    )
    SELECT EXISTS (SELECT FROM gone) OR EXISTS (SELECT FROM made) INTO has_changed;
    IF has_changed THEN PERFORM regulations_change_of('regulations_authorisationfacet'); END IF;
END
$$;

CREATE OR REPLACE FUNCTION regulations_rebuild_authorisation_facets() RETURNS void LANGUAGE plpgsql
SET plan_cache_mode = force_custom_plan AS $$
BEGIN
    TRUNCATE regulations_authorisationfacet;
    INSERT INTO regulations_authorisationfacet ({_NAMES}) {_DUE};
END
$$;
{"".join(_trigger(table, event, concerned) for (table, event), concerned in _CONCERNED.items())}"""  # noqa: S608


def _trigger(table: str, event: str, concerned: str) -> str:
    refresh = f"PERFORM regulations_refresh_authorisation_facets(ARRAY({concerned}));"
    return statement_trigger("authorisation_facets", event, table, refresh)


def remove() -> str:
    """The SQL that takes back what `install` makes."""
    functions = [f"authorisation_facets_{event}_{table}()" for table, event in _CONCERNED]
    functions += ["rebuild_authorisation_facets()", "refresh_authorisation_facets(bigint[])"]
    return "".join(f"DROP FUNCTION IF EXISTS regulations_{name} CASCADE;" for name in functions)
