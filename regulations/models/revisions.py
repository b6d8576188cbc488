"""What our records said, and when: the database writes down every change of every row."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import reduce
from operator import or_
from typing import Any, Self

from django.contrib.postgres.fields import ArrayField
from django.db import connection, models, transaction
from django.db.models import F, Func, Q
from django.db.models.expressions import Combinable
from django.db.models.fields.json import KeyTransform
from django.db.models.lookups import IsNull

from regulations.models.base import CodeField


class Change(models.Model):
    """Changes of rows made together: by one transaction, for one reason. The database writes them down.

    Moments are given at the commit, one transaction after the other: whoever sees a change sees all with earlier
    moments, and none will ever be added among them.
    """

    class Kind(models.TextChoices):
        WORLD = "world", "The world changed"
        CORRECTION = "correction", "We corrected our record"
        EDITORIAL = "editorial", "Wording"
        VERIFICATION = "verification", "Checked, unchanged"
        IMPORT = "import", "Import"
        UNSTATED = "unstated", "Not stated"

    moment = models.DateTimeField(
        null=True, unique=True, help_text="When it was made, in the order of commits; empty until it is committed."
    )
    transaction_id = models.BigIntegerField(help_text="PostgreSQL's number of the transaction that made it.")
    actor = models.CharField(max_length=150, blank=True, help_text="Who or what made it.")
    reason = models.CharField(max_length=500, blank=True, help_text="Why.")
    kind = CodeField(Kind.choices, "What kind of change it is.", default=Kind.UNSTATED)
    tables = ArrayField(models.CharField(max_length=63), default=list, help_text="The tables that it changed.")

    class Meta:
        ordering = [F("moment").desc(nulls_first=True), "-pk"]
        constraints = [
            # Numbers of transactions begin anew where a dump is restored; those that are open never meet.
            models.UniqueConstraint(
                name="change_open_once",
                fields=["transaction_id", "actor", "kind", "reason"],
                condition=Q(moment__isnull=True),
            )
        ]

    def __str__(self) -> str:
        return f"{self.moment:%Y-%m-%d %H:%M}" if self.moment else "not yet committed"


class DataVersion(models.Model):
    """When a table was last changed: the moment of the last change of it that was committed.

    Bumped by the changing transaction, as it ends (migration 0008). What was read of some tables is as true as it was
    for as long as their versions stay.
    """

    table = models.CharField(primary_key=True, max_length=63, help_text="The table.")
    moment = models.DateTimeField(null=True, help_text="The moment of its last change; empty if there was none.")

    class Meta:
        db_table = "data_version"

    def __str__(self) -> str:
        return self.table


class Differs(Func):
    """Whether two values differ; none at all is a value too."""

    template = "(%(expressions)s)"
    arg_joiner = " IS DISTINCT FROM "
    output_field = models.BooleanField()


class RevisionQuerySet(models.QuerySet["Revision"]):
    def of(self, model: type[models.Model], row_id: Any) -> Self:
        """Keep the changes of one row of the model."""
        return self.filter(table=model._meta.db_table, row_id=row_id)

    def known_by(self, moment: Combinable) -> Self:
        """Keep the changes made by the moment; all of them where it is null."""
        return self.filter(Q(IsNull(moment, True)) | Q(change__moment__lte=moment))

    def altering(self, columns: Iterable[str]) -> Self:
        """Keep the changes after which one of these columns of a row was another."""
        columns_differ = (Differs(KeyTransform(each, "before"), KeyTransform(each, "after")) for each in columns)
        altered = reduce(or_, map(Q, columns_differ))
        return self.filter(altered, before__isnull=False, after__isnull=False)


class Revision(models.Model):
    """One change of one row, written by triggers (revision_*), so that bulk writes and raw SQL are in it too."""

    table = models.CharField(max_length=63, help_text="The table of the row.")
    row_id = models.BigIntegerField(help_text="The row's id.")
    before = models.JSONField(null=True, help_text="The row before the change; empty for a new one.")
    after = models.JSONField(null=True, help_text="The row after the change; empty for a deleted one.")
    # The trigger has just made the change; to check that it is there would cost as much as to write the revision.
    change = models.ForeignKey(
        Change,
        models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="revisions",
        help_text="The change that it is part of.",
    )

    objects = RevisionQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        indexes = [
            models.Index("table", "row_id", "id", name="revision_of_row"),
            # The feed reads a part of a change, which may be a whole register.
            models.Index(fields=["change", "id"], name="revision_of_change"),
        ]

    def __str__(self) -> str:
        return f"{self.table} {self.row_id}, {self.change}"


@contextmanager
def change(*, actor: str, kind: Change.Kind, reason: str = "") -> Iterator[None]:
    """Run changes in one transaction, all or nothing, and have their revisions say by whom, of what kind and why."""
    with transaction.atomic():
        _tell(actor, kind.value, reason)
        yield
        # Within a larger transaction, what follows is somebody else's change.
        _tell("", "", "")


def _tell(actor: str, kind: str, reason: str) -> None:
    """Set what the triggers write down, until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('kbase.actor', %s, true), set_config('kbase.kind', %s, true), "
            "set_config('kbase.reason', %s, true)",
            [actor, kind, reason],
        )
