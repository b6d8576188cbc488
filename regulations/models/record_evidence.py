"""What each record rests on, in a row: whose it is, whether it is cited, how newly its sources were read and published.

Kept by the database (triggers record_evidence_*), so that it can be counted by place in advance (`EvidenceTally`). A
migration that changes what is declared here runs `install()` again, and `regulations_rebuild_record_evidence()`.
"""

from dataclasses import dataclass

from django.contrib.postgres.fields import ArrayField
from django.db import models

from regulations.models.statement_triggers import KEPT_PLANS, PLANNED_FOR_MANY, ROWS, statement_trigger

# The collections that are told apart by place, with the table and the column that name the place of a record, and the
# column by which a citation names the record.
_COUNTED = {
    "regulators": ("regulator", "jurisdiction_id", "regulator_id"),
    "policies": ("policy", "jurisdiction_id", "policy_id"),
    "milestones": ("policy", "jurisdiction_id", "milestone_id"),
    "stances": ("stance", "jurisdiction_id", "stance_id"),
    "authorisations": ("authorisation", "jurisdiction_id", "authorisation_id"),
    "enforcement-actions": ("enforcementaction", "jurisdiction_id", "enforcement_action_id"),
    "companies": ("company", "headquarters_id", "company_id"),
}
# Collections are kept as numbers, for brevity.
COLLECTION_NUMBERS = {name: number for number, name in enumerate(_COUNTED, start=1)}
MILESTONES = COLLECTION_NUMBERS["milestones"]


class RecordEvidence(models.Model):
    """A record, or all milestones of a policy, and what it rests on."""

    pk = models.CompositePrimaryKey("collection", "record_id")
    collection = models.SmallIntegerField(help_text="What sort of record it is, as a number.")
    record_id = models.BigIntegerField(help_text="The record; of milestones, the policy.")
    jurisdiction_id = models.BigIntegerField(null=True, help_text="The place that it belongs to, if any.")
    count = models.IntegerField(help_text="How many records these are.")
    cited_count = models.IntegerField(help_text="How many of them have a citation.")
    days = ArrayField(models.DateField(), help_text="The days of the milestones.")
    last_read_on = models.DateField(null=True, help_text="The newest day on which a source of them was read.")
    newest_source_on = models.DateField(null=True, help_text="The newest publication that one of them rests on.")

    def __str__(self) -> str:
        return f"{self.collection}, {self.record_id}"


@dataclass(frozen=True)
class _Watched:
    """What changes rows of ours: a table, and the columns that matter where one of its rows is updated.

    due: for each collection the SQL that finds the ids of its rows, given the changed `{rows}` of the table.
    is_read_by_others: whoever writes a citation reads these columns, and holds the row meanwhile.
    """

    table: str
    columns: str
    due: dict[int, str]
    is_read_by_others: bool = False


def _due_of_citations(rows: str) -> dict[int, str]:
    """The ids of the rows to which these citations belong."""
    steps = f"SELECT milestone_id FROM {rows}"  # noqa: S608 (all of it is ours)
    return {
        COLLECTION_NUMBERS[name]: f"SELECT {cited} FROM {rows} WHERE {cited} IS NOT NULL"  # noqa: S608
        for name, (_, _, cited) in _COUNTED.items()
    } | {MILESTONES: f"SELECT policy_id FROM regulations_milestone WHERE id IN ({steps})"}  # noqa: S608


_CITED = ", ".join(cited for _, _, cited in _COUNTED.values())
_OF_SOURCES = "(SELECT * FROM regulations_citation WHERE source_id IN (SELECT id FROM {rows})) AS citation"
_WATCHED = [
    *(
        _Watched(table, place, {COLLECTION_NUMBERS[name]: "SELECT id FROM {rows}"})
        for name, (table, place, _) in _COUNTED.items()
        if name not in ("policies", "milestones")
    ),
    _Watched(
        "policy",
        "jurisdiction_id",
        dict.fromkeys((COLLECTION_NUMBERS["policies"], MILESTONES), "SELECT id FROM {rows}"),
    ),
    _Watched("milestone", "policy_id, date", {MILESTONES: "SELECT policy_id FROM {rows}"}, is_read_by_others=True),
    _Watched("citation", f"source_id, read_on, {_CITED}", _due_of_citations("{rows}")),
    _Watched("source", "published_on", _due_of_citations(_OF_SOURCES), is_read_by_others=True),
]


def install() -> str:
    """The SQL that keeps the table; it is filled by regulations_rebuild_record_evidence()."""
    columns = [field.attname for field in RecordEvidence._meta.concrete_fields]
    names, others = ", ".join(columns), ", ".join(columns[2:])
    kept, new = (", ".join(f"{row}.{name}" for name in columns[2:]) for row in ("kept", "excluded"))
    return f"""
-- What the table is to say.
CREATE OR REPLACE VIEW regulations_recordevidence_due AS
{" UNION ALL ".join(_due(name) for name in _COUNTED)};

CREATE OR REPLACE FUNCTION regulations_refresh_record_evidence(wanted smallint, ids bigint[]) RETURNS void
LANGUAGE plpgsql {KEPT_PLANS} AS $$
BEGIN
    IF cardinality(ids) = 0 THEN RETURN; END IF;
    {PLANNED_FOR_MANY}
    -- Whoever is about to change the same rows goes first, and is then seen.
    PERFORM FROM regulations_recordevidence WHERE collection = wanted AND record_id = ANY (ids)
    ORDER BY record_id FOR UPDATE;
    WITH due AS MATERIALIZED (
        SELECT {names} FROM regulations_recordevidence_due WHERE collection = wanted AND record_id = ANY (ids)
    ), gone AS (
        DELETE FROM regulations_recordevidence AS kept WHERE collection = wanted AND record_id = ANY (ids)
        AND NOT EXISTS (SELECT FROM due WHERE due.record_id = kept.record_id)
    )
    INSERT INTO regulations_recordevidence AS kept ({names}) SELECT {names} FROM due
    ON CONFLICT (collection, record_id) DO UPDATE SET ({others}) = ROW ({new})
    WHERE ROW ({kept}) IS DISTINCT FROM ROW ({new});
END
$$;

CREATE OR REPLACE FUNCTION regulations_rebuild_record_evidence() RETURNS void LANGUAGE plpgsql
SET plan_cache_mode = force_custom_plan AS $$
BEGIN
    TRUNCATE regulations_recordevidence;
    INSERT INTO regulations_recordevidence ({names}) SELECT {names} FROM regulations_recordevidence_due;
END
$$;
{"".join(map(_triggers, _WATCHED))}"""  # noqa: S608


def _due(name: str) -> str:
    """The rows of a collection, made anew."""
    table, place, cited = _COUNTED[name]
    whose = f"SELECT {COLLECTION_NUMBERS[name]}::smallint AS collection, record.id AS record_id, record.{place} AS jurisdiction_id"
    rests = """
        SELECT count(*) AS number, max(read_on) AS read_on, max(published_on) AS published_on
        FROM regulations_citation AS citation JOIN regulations_source AS source ON source.id = citation.source_id
        WHERE citation.{cited} = {id}"""
    if COLLECTION_NUMBERS[name] != MILESTONES:
        return f"""{whose}, 1 AS count, (rests.number > 0)::integer AS cited_count, '{{}}'::date[] AS days,
        rests.read_on AS last_read_on, rests.published_on AS newest_source_on
        FROM regulations_{table} AS record
        CROSS JOIN LATERAL ({rests.format(cited=cited, id="record.id")}) AS rests"""
    return f"""{whose}, steps.*
        FROM regulations_{table} AS record
        CROSS JOIN LATERAL (
            SELECT count(*)::integer, count(*) FILTER (WHERE rests.number > 0)::integer,
                   coalesce(array_agg(date ORDER BY date), '{{}}'), max(rests.read_on), max(rests.published_on)
            FROM regulations_milestone AS step
            CROSS JOIN LATERAL ({rests.format(cited=cited, id="step.id")}) AS rests
            WHERE step.policy_id = record.id
        ) AS steps"""  # noqa: S608


def _triggers(watched: _Watched) -> str:
    made = ""
    for event, seen in ROWS.items():
        rows = _changed(watched) if event == "update" else seen[0]
        refreshed = [
            f"PERFORM regulations_refresh_record_evidence({number}::smallint, ARRAY({ids.format(rows=rows)}));"
            for number, ids in watched.due.items()
        ]
        made += statement_trigger(
            "record_evidence", event, watched.table, "\n    ".join([*_locks(watched, event), *refreshed])
        )
    return made


def _changed(watched: _Watched) -> str:
    """The rows of an update, before and after it, that differ in what matters."""
    both = "new_rows AS new_row JOIN old_rows AS old_row ON old_row.id = new_row.id"
    new, old = (", ".join(f"{row}.{each}" for each in watched.columns.split(", ")) for row in ("new_row", "old_row"))
    differ = f"FROM {both} WHERE ROW ({new}) IS DISTINCT FROM ROW ({old})"
    return f"(SELECT new_row.* {differ} UNION ALL SELECT old_row.* {differ}) AS changed"


def _locks(watched: _Watched, event: str) -> list[str]:
    """Wait for whoever reads, or changes, what rows of two tables say together, so that the later one sees both."""
    if watched.table == "citation" and event != "delete":
        # By themselves, as a statement that waits still sees what was there when it began.
        return [
            f"PERFORM FROM regulations_{table} WHERE id IN (SELECT {table}_id FROM new_rows)"  # noqa: S608
            " ORDER BY id FOR KEY SHARE;"
            for table in ("source", "milestone")
        ]
    if watched.is_read_by_others and event == "update":
        changed = f"id IN (SELECT id FROM {_changed(watched)})"  # noqa: S608
        return [f"PERFORM FROM regulations_{watched.table} WHERE {changed} ORDER BY id FOR UPDATE;"]
    return []


def remove() -> str:
    """The SQL that takes back what `install` makes."""
    functions = [f"record_evidence_{event}_{watched.table}()" for watched in _WATCHED for event in ROWS]
    functions += ["rebuild_record_evidence()", "refresh_record_evidence(smallint, bigint[])"]
    dropped = "".join(f"DROP FUNCTION IF EXISTS regulations_{name} CASCADE;" for name in functions)
    return f"{dropped} DROP VIEW IF EXISTS regulations_recordevidence_due;"
