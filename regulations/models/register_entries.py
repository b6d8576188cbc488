"""What a register lists, run after run: which of our records it is, and what people have decided about it."""

from django.db import models
from django.db.models import Q

from regulations.models.base import CodeField, at_most_one


class RegisterEntry(models.Model):
    """One thing that a register lists, and the record of ours that it became.

    It stays the same entry whatever happens to names and numbers. An entry whose record is gone was removed by an
    editor, and no import brings it back.
    """

    class Kind(models.TextChoices):
        AUTHORISATION = "authorisation", "Authorisation"
        WHITE_PAPER = "white_paper", "White paper"
        WARNING = "warning", "Warning"

    register = models.CharField(max_length=40, help_text="Which register lists it, such as esma-casp.")
    kind = CodeField(Kind.choices, "What sort of thing it is.")
    name = models.CharField(max_length=300, help_text="Whose it is, by the name that the register gave last.")
    lei = models.CharField(max_length=300, blank=True, help_text="Whose it is, by the LEI cell that it gave last.")
    apart = models.CharField(max_length=2000, blank=True, help_text="What tells it from others of the same firm.")
    said = models.JSONField(default=dict, help_text="What the register said last, field by field.")
    company = models.ForeignKey(
        "regulations.Company",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="register_entries",
        help_text="The firm, if it is one of ours.",
    )
    authorisation = models.ForeignKey(
        "regulations.Authorisation", models.SET_NULL, null=True, blank=True, related_name="register_entries"
    )
    source = models.ForeignKey(
        "regulations.Source", models.SET_NULL, null=True, blank=True, related_name="register_entries"
    )
    enforcement_action = models.ForeignKey(
        "regulations.EnforcementAction", models.SET_NULL, null=True, blank=True, related_name="register_entries"
    )

    class Meta:
        ordering = ["register", "name", "pk"]
        verbose_name_plural = "register entries"
        constraints = [at_most_one("registerentry", "record", ["authorisation", "source", "enforcement_action"])]
        indexes = [models.Index(fields=["register", "kind"], name="registerentry_of_register")]

    def __str__(self) -> str:
        return f"{self.name} in {self.register}"


class Ruling(models.Model):
    """What a person says: what a cell means that no rule could read, or who a row is about."""

    class About(models.TextChoices):
        CELL = "cell", "What a cell means"
        FIRM = "firm", "Who a row is about"

    about = CodeField(About.choices, "What is decided.")
    register = models.CharField(max_length=40, help_text="In which register.")
    name = models.CharField(max_length=300, help_text="The firm's name as the register writes it.")
    column = models.CharField(max_length=100, blank=True, help_text="The column; empty for who a row is about.")
    raw = models.TextField(blank=True, help_text="What the cell says; for who a row is about, its LEI cell.")
    value = models.TextField(blank=True, help_text="What it means, as a clean cell would say it; empty: nothing.")
    company = models.ForeignKey(
        "regulations.Company",
        models.CASCADE,
        null=True,
        blank=True,
        related_name="rulings",
        help_text="Who it is; empty if none of ours.",
    )
    decided_by = models.CharField(max_length=150, help_text="Who says so.")
    decided_at = models.DateTimeField(auto_now_add=True, help_text="When.")
    reason = models.CharField(max_length=500, help_text="On what ground: what was looked up, and where.")

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                name="ruling_once",
                fields=["register", "about", "name", "column", "raw"],
                violation_error_message="raw: this is decided already; change that decision.",
            ),
            models.CheckConstraint(
                name="ruling_says_what_it_is_about",
                condition=Q(about="cell", company__isnull=True) & ~Q(column="") | Q(about="firm", column="", value=""),
                violation_error_message="about: a cell has a column and a value, a firm at most a company.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_about_display()}: {self.raw or self.name}"


class Disagreement(models.Model):
    """A field of which the register says another thing than an editor: ours stays until a person decides."""

    class Outcome(models.TextChoices):
        OURS = "ours", "Ours stays"
        THEIRS = "theirs", "The register's is taken over"

    entry = models.ForeignKey(RegisterEntry, models.CASCADE, related_name="disagreements")
    row = models.ForeignKey(
        "regulations.ImportRow",
        models.PROTECT,
        null=True,
        related_name="disagreements",
        help_text="The register's evidence; none if it is that nothing is listed.",
    )
    record = CodeField(
        [
            ("company", "Company"),
            ("authorisation", "Authorisation"),
            ("source", "Source"),
            ("enforcement_action", "Enforcement action"),
        ],
        "Which record of the entry.",
    )
    field = models.CharField(max_length=60, help_text="Which field.")
    ours = models.JSONField(null=True, help_text="What we say.")
    theirs = models.JSONField(null=True, help_text="What the register says.")
    outcome = CodeField(Outcome.choices, "What was decided; empty while it is open.", blank=True)
    settled_by = models.CharField(max_length=150, blank=True, help_text="Who decided.")
    reason = models.CharField(max_length=500, blank=True, help_text="Why.")

    class Meta:
        ordering = ["outcome", "-pk"]
        constraints = [
            models.UniqueConstraint(
                name="disagreement_open_once",
                fields=["entry", "record", "field"],
                condition=Q(outcome=""),
                violation_error_message="field: this disagreement is open already.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.field} of {self.entry}"
