"""What came in from official registers: each file as it came, how each of its cells was read, what was to change.

These rows are a log: they are written once, with the run that they belong to, and only its publishing is added.
"""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Func, Q
from django.db.models.lookups import Exact

from regulations.models.base import CodeField


class Extract(models.Model):
    """A file of a register, byte for byte as it came."""

    register = models.CharField(max_length=40, help_text="Which register it is of, such as esma-casp.")
    on = models.DateField(help_text="The day whose state of the register it tells.")
    file_name = models.CharField(max_length=200, help_text="The name that the file had.")
    sha256 = models.CharField(max_length=64, help_text="The hash of its bytes (FIPS 180-4, hexadecimal).")
    content = models.BinaryField(help_text="Its bytes.")
    received_at = models.DateTimeField(auto_now_add=True, help_text="When it came in.")

    class Meta:
        ordering = ["-on", "-pk"]
        constraints = [
            models.UniqueConstraint(
                name="extract_once",
                fields=["register", "on", "sha256"],
                violation_error_message="content: this file is there already.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.register} of {self.on}"


class ImportRun(models.Model):
    """One reading of an extract: what it says cell by cell, what it would change, and whether that was published."""

    extract = models.ForeignKey(Extract, models.PROTECT, related_name="runs", help_text="What was read.")
    made_at = models.DateTimeField(auto_now_add=True, help_text="When it was read.")
    made_by = models.CharField(max_length=150, help_text="Who had it read.")
    rules = models.CharField(max_length=40, help_text="By which rules: the register and the number of their version.")
    columns = ArrayField(models.CharField(max_length=100), default=list, help_text="The columns, in the file's order.")
    row_count = models.PositiveIntegerField(default=0, help_text="How many rows the file has, its head aside.")
    kept_count = models.PositiveIntegerField(default=0, help_text="Cells kept as they are.")
    normalised_count = models.PositiveIntegerField(default=0, help_text="Cells normalised by a named rule.")
    quarantined_count = models.PositiveIntegerField(default=0, help_text="Cells put aside with a reason.")
    unknown_count = models.PositiveIntegerField(default=0, help_text="Quarantined cells with a word that is not known.")
    holds = models.JSONField(default=list, help_text="Why it may not be published as it is: code and sentence of each.")
    digest = models.CharField(max_length=64, blank=True, help_text="The hash of what it would change.")
    released_by = models.CharField(max_length=150, blank=True, help_text="Who had it published although it was held.")
    release_reason = models.CharField(max_length=500, blank=True, help_text="Why it was, although it was held.")
    published_by = models.CharField(max_length=150, blank=True, help_text="Who had it published.")
    published_at = models.DateTimeField(null=True, blank=True, help_text="When it was published; empty if it was not.")

    class Meta:
        ordering = ["-pk"]
        constraints = [
            # That there are so many cells, a deferred trigger holds (importrun_conserves).
            models.CheckConstraint(
                name="importrun_cells_conserved",
                condition=Q(
                    Exact(
                        F("kept_count") + F("normalised_count") + F("quarantined_count"),
                        F("row_count") * Func("columns", function="cardinality", output_field=models.IntegerField()),
                    )
                ),
                violation_error_message="row_count: each cell is kept, normalised or quarantined.",
            ),
            models.CheckConstraint(
                name="importrun_released_with_reason",
                condition=Q(released_by="", release_reason="") | ~Q(released_by="") & ~Q(release_reason=""),
                violation_error_message="release_reason: say why the run is published although it was held.",
            ),
        ]

    def __str__(self) -> str:
        return f"run {self.pk} of {self.extract}"

    @property
    def cell_count(self) -> int:
        """All cells of the file, the head aside."""
        return self.row_count * len(self.columns)

    @property
    def is_held(self) -> bool:
        """Whether it may not be published as it stands."""
        return bool(self.holds) and not self.released_by


class ImportRow(models.Model):
    """A row of an extract, and what it comes to."""

    class State(models.TextChoices):
        ADDED = "added", "Adds records"
        CHANGED = "changed", "Changes records"
        UNCHANGED = "unchanged", "Says what we say"
        OLDER = "older", "Says what a newer extract has replaced"
        WAITING = "waiting", "Waits for a person: who is it?"
        SET_ASIDE = "set_aside", "Cannot be used as it is"

    run = models.ForeignKey(ImportRun, models.CASCADE, related_name="rows")
    number = models.PositiveIntegerField(help_text="Its number in the file, the first below the head being 1.")
    state = CodeField(State.choices, "What it comes to.")
    note = models.TextField(blank=True, help_text="Why, where that needs a word.")
    entries = models.ManyToManyField(
        "regulations.RegisterEntry", related_name="rows", blank=True, help_text="The register's entries that it is of."
    )

    class Meta:
        ordering = ["run", "number"]
        constraints = [models.UniqueConstraint(name="importrow_once", fields=["run", "number"])]

    def __str__(self) -> str:
        return f"row {self.number}"


class ImportCell(models.Model):
    """A cell as it came, and how it was read."""

    class Outcome(models.TextChoices):
        KEPT = "kept", "Kept"
        NORMALISED = "normalised", "Normalised by a rule"
        QUARANTINED = "quarantined", "Quarantined"

    class Reason(models.TextChoices):
        UNKNOWN = "unknown", "A word that is not known"
        DAMAGED = "damaged", "A damaged letter"
        CONTRADICTORY = "contradictory", "Contradicts itself or its row"
        CHECK_DIGITS = "check_digits", "Wrong check digits"
        MALFORMED = "malformed", "Not of the form of this column"
        MISSING = "missing", "Required and empty"
        IN_FUTURE = "in_future", "After the day of the extract"
        FORMULA = "formula", "A formula of a spreadsheet"

    row = models.ForeignKey(ImportRow, models.CASCADE, related_name="cells")
    column = models.CharField(max_length=100, help_text="The column that it stands in.")
    raw = models.TextField(blank=True, help_text="What the file says, character by character.")
    outcome = CodeField(Outcome.choices, "How it ended.")
    rule = models.CharField(max_length=40, blank=True, help_text="The rule that normalised it, and its version.")
    value = models.JSONField(null=True, help_text="What it was normalised to.")
    reason = CodeField(Reason.choices, "Why it was quarantined.", blank=True)
    explanation = models.TextField(blank=True, help_text="The reason in words.")
    proposal = models.TextField(blank=True, help_text="The one thing that can be meant, for a person to confirm.")

    class Meta:
        ordering = ["row", "pk"]
        constraints = [
            models.UniqueConstraint(name="importcell_once", fields=["row", "column"]),
            models.CheckConstraint(
                name="importcell_has_its_ground",
                condition=Q(outcome="kept", rule="", reason="", value__isnull=True)
                | Q(outcome="normalised", reason="") & ~Q(rule="")
                | Q(outcome="quarantined", rule="", value__isnull=True) & ~Q(reason="") & ~Q(explanation=""),
                violation_error_message="outcome: a rule normalises, a reason quarantines, and what is kept has neither.",
            ),
        ]
        indexes = [
            models.Index(F("reason"), F("row"), name="importcell_quarantined", condition=Q(outcome="quarantined"))
        ]

    def __str__(self) -> str:
        return f"{self.column} of {self.row}"


class ImportChange(models.Model):
    """What a run would do, or did, to one record."""

    class Action(models.TextChoices):
        ADD = "add", "Add"
        CHANGE = "change", "Change"
        END = "end", "End: no longer listed"

    run = models.ForeignKey(ImportRun, models.CASCADE, related_name="changes")
    row = models.ForeignKey(
        ImportRow,
        models.CASCADE,
        null=True,
        related_name="changes",
        help_text="By which row; none for what is missing.",
    )
    action = CodeField(Action.choices, "What is done.")
    kind = models.CharField(max_length=40, help_text="What kind of record: company, authorisation, source ...")
    record = models.CharField(max_length=120, help_text="Its key.")
    fields = models.JSONField(default=dict, help_text="Field by field, what we said before and what we say after.")

    class Meta:
        ordering = ["run", "pk"]

    def __str__(self) -> str:
        return f"{self.get_action_display()} {self.kind} {self.record}"
