"""What our records said, and when: the database writes down every change of every row."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, models, transaction

from regulations.models.base import CodeField


class Revision(models.Model):
    """One change of one row, written by triggers (revision_*), so that bulk writes and raw SQL are in it too."""

    class Kind(models.TextChoices):
        WORLD = "world", "The world changed"
        CORRECTION = "correction", "We corrected our record"
        EDITORIAL = "editorial", "Wording"
        VERIFICATION = "verification", "Checked, unchanged"
        IMPORT = "import", "Import"
        UNSTATED = "unstated", "Not stated"

    table = models.CharField(max_length=63, help_text="The table of the row.")
    row_id = models.BigIntegerField(help_text="The row's id.")
    before = models.JSONField(null=True, help_text="The row before the change; empty for a new one.")
    after = models.JSONField(null=True, help_text="The row after the change; empty for a deleted one.")
    recorded_at = models.DateTimeField(help_text="When the changing transaction began.")
    transaction_id = models.BigIntegerField(help_text="The transaction: changes made together share it.")
    actor = models.CharField(max_length=150, blank=True, help_text="Who or what made the change.")
    reason = models.CharField(max_length=500, blank=True, help_text="Why.")
    kind = CodeField(Kind.choices, "What kind of change it is.", default=Kind.UNSTATED)

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index("table", "row_id", "id", name="revision_of_row")]

    def __str__(self) -> str:
        return f"{self.table} {self.row_id}, {self.recorded_at:%Y-%m-%d %H:%M}"


@contextmanager
def change(*, actor: str, kind: Revision.Kind, reason: str = "") -> Iterator[None]:
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
