"""How many records a place has, how many of them are cited, and how newly they were read: counted in advance.

Kept by triggers on `RecordEvidence` (see sums). A migration that changes what is declared here runs `install()` again,
and `fill()`.
"""

from django.db import models

from regulations.models.record_evidence import RecordEvidence
from regulations.models.sums import Sums

# The day of what is counted whatever its day.
_NO_DAY = "'0001-01-01'::date"


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


_SUMS = Sums(
    name="evidence_tallies",
    table="evidencetally",
    of=("recordevidence", ", ".join(field.attname for field in RecordEvidence._meta.concrete_fields)),
    cell="jurisdiction_id, collection, counted, day",
    number="number",
    counted=_counts,
    added="kept.number + excluded.number",
)
install, fill, remove = _SUMS.install, _SUMS.fill, _SUMS.remove
