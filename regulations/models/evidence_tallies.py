"""How many records a place has, how many of them are cited, and how newly they were read: counted in advance.

Kept by triggers on `RecordEvidence` (evidence_tallies_*). As with `PolicyTally`, what a transaction changes stands in rows
of its own, which are added to the others as it ends, so that no writer waits for another. A migration that changes what
is declared here runs `install()` again, and `fill()`.
"""

from django.db import models

from regulations.models.record_evidence import RecordEvidence
from regulations.models.statement_triggers import statement_trigger

# The day of what is counted whatever its day.
_NO_DAY = "'0001-01-01'::date"
_CELL = "jurisdiction_id, collection, counted, day"


class EvidenceTally(models.Model):
    """How many of a place's records are so, by the day, if it has to do with one."""

    class Counted(models.IntegerChoices):
        RECORDS = 1, "All records"
        CITED = 2, "Those with a citation"
        STEPS = 3, "Milestones, by their day"
        READ = 4, "By the newest day on which a source was read"
        PUBLISHED = 5, "By the newest publication of a source"

    pk = models.CompositePrimaryKey("jurisdiction_id", "collection", "counted", "day", "change_id")
    jurisdiction_id = models.BigIntegerField(help_text="The place.")
    collection = models.SmallIntegerField(help_text="Which records, as RecordEvidence numbers them.")
    counted = models.SmallIntegerField(choices=Counted.choices, help_text="What is counted.")
    day = models.DateField(help_text="The day; the first of all where it has to do with none.")
    change_id = models.BigIntegerField(help_text="The change that is under way; 0 for all that are done.")
    number = models.IntegerField(help_text="How many.")

    class Meta:
        indexes = [
            models.Index("change_id", name="evidencetally_under_way", condition=~models.Q(change_id=0)),
        ]

    def __str__(self) -> str:
        return f"{self.day}: {self.number}"


def _counts(rows: str) -> str:
    """The numbers by place for these rows of RecordEvidence, each with `sign`: -1 for one that is taken away."""
    counted = EvidenceTally.Counted
    return f"""
        SELECT jurisdiction_id, collection, one.counted::smallint AS counted, one.day, sum(sign * one.number) AS number
        FROM {rows} CROSS JOIN LATERAL (
            VALUES ({counted.RECORDS}, {_NO_DAY}, count), ({counted.CITED}, {_NO_DAY}, cited_count),
                   ({counted.READ}, last_read_on, 1), ({counted.PUBLISHED}, newest_source_on, 1)
            UNION ALL SELECT {counted.STEPS}, day, 1 FROM unnest(days) AS day
        ) AS one (counted, day, number)
        WHERE jurisdiction_id IS NOT NULL AND one.day IS NOT NULL
        GROUP BY 1, 2, 3, 4 HAVING sum(sign * one.number) <> 0
    """  # noqa: S608 (all of it is ours)


_ADD = f"""
    ON CONFLICT ({_CELL}, change_id) DO UPDATE SET number = kept.number + excluded.number
"""
_COLUMNS = ", ".join(field.attname for field in RecordEvidence._meta.concrete_fields)
_NOW = f"SELECT {{sign}} AS sign, {_COLUMNS} FROM {{rows}}"  # noqa: S608
_EVENTS = {"insert": {"new_rows": 1}, "update": {"new_rows": 1, "old_rows": -1}, "delete": {"old_rows": -1}}


def install() -> str:
    """The SQL that keeps the table from now on."""
    return f"""
CREATE OR REPLACE FUNCTION regulations_end_evidence_tallies(ended bigint) RETURNS void LANGUAGE sql AS $$
    -- Who calls this holds the lock of all that end.
    WITH mine AS (DELETE FROM regulations_evidencetally WHERE change_id = ended AND change_id <> 0 RETURNING *)
    INSERT INTO regulations_evidencetally AS kept ({_CELL}, change_id, number)
    SELECT {_CELL}, 0, number FROM mine
    {_ADD}
$$;
CREATE OR REPLACE FUNCTION regulations_evidence_tallies_truncate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    TRUNCATE regulations_evidencetally;
    RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER evidence_tallies_truncate AFTER TRUNCATE ON regulations_recordevidence
    FOR EACH STATEMENT EXECUTE FUNCTION regulations_evidence_tallies_truncate();
{"".join(map(_trigger, _EVENTS))}"""  # noqa: S608


def fill() -> str:
    """The SQL that makes the table anew."""
    rows = f"({_NOW.format(sign=1, rows='regulations_recordevidence')}) AS every"
    return f"""
TRUNCATE regulations_evidencetally;
INSERT INTO regulations_evidencetally ({_CELL}, change_id, number)
SELECT {_CELL}, 0, number FROM ({_counts(rows)}) AS tallies ORDER BY {_CELL};
"""  # noqa: S608


def _trigger(event: str) -> str:
    rows = " UNION ALL ".join(_NOW.format(sign=sign, rows=name) for name, sign in _EVENTS[event].items())
    add = f"""INSERT INTO regulations_evidencetally AS kept ({_CELL}, change_id, number)
    SELECT {_CELL}, (SELECT regulations_change_of('regulations_evidencetally')), number
    FROM ({_counts(f"({rows}) AS changed")}) AS tallies
    {_ADD};"""  # noqa: S608
    return statement_trigger(
        "evidence_tallies",
        event,
        "recordevidence",
        add,
        f"evidence_tallies_{event}",
        "SET plan_cache_mode = force_custom_plan",
    )


def remove() -> str:
    """The SQL that takes back what `install` makes."""
    functions = [*(f"evidence_tallies_{event}()" for event in [*_EVENTS, "truncate"]), "end_evidence_tallies(bigint)"]
    return "".join(f"DROP FUNCTION IF EXISTS regulations_{name} CASCADE;" for name in functions)
