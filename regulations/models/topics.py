from django.db import models

from regulations.models.base import CodeField, Record, key_field


class Topic(Record):
    """A word of the controlled vocabulary: an activity that firms carry out, or a theme that rules are about."""

    class Kind(models.TextChoices):
        ACTIVITY = "activity", "Activity"
        THEME = "theme", "Theme"

    slug = key_field("The topic's key in addresses, such as travel-rule.")
    name = models.CharField(max_length=100, help_text="The topic as people read it.")
    kind = CodeField(
        Kind.choices,
        "An activity (what a firm does) or a theme (what a rule is about).",
    )
    summary = models.TextField(blank=True, help_text="What the topic covers, in one or two sentences.")

    class Meta:
        ordering = ["slug"]

    def __str__(self) -> str:
        return self.name
