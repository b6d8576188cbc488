"""Counts of policies, kept by triggers; what a change adds to them is added for good as the change ends."""

from importlib import import_module

import django.contrib.postgres.fields
from django.db import migrations, models

from regulations.models.policy_tallies import fill, install, remove

_versions = import_module("regulations.migrations.0008_data_versions")
BEFORE = _versions.STAMP.format(versions=_versions.VERSIONS)
STAMP = BEFORE.replace("RETURN NULL;", "PERFORM regulations_end_policy_tallies(NEW.id);\n    RETURN NULL;")

VERSION = """
INSERT INTO data_version ("table", moment) SELECT 'regulations_policytally', max(moment) FROM data_version
"""


class Migration(migrations.Migration):
    dependencies = [("regulations", "0016_warned")]

    operations = [
        migrations.CreateModel(
            name="PolicyTally",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "kind",
                        "topic_id",
                        "status",
                        "jurisdiction_id",
                        "month",
                        "change_id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        db_collation="C", help_text="What sort of instruments; empty for all.", max_length=32
                    ),
                ),
                ("topic_id", models.BigIntegerField(help_text="Those of a topic; 0 for all.")),
                (
                    "status",
                    models.SmallIntegerField(help_text="Those with a status, as a number; 0 for all."),
                ),
                ("jurisdiction_id", models.BigIntegerField(help_text="Those of a place; 0 for all.")),
                ("month", models.DateField(help_text="The first day of the month.")),
                (
                    "change_id",
                    models.BigIntegerField(help_text="The change that is under way; 0 for all that are done."),
                ),
                (
                    "growth",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.IntegerField(),
                        help_text="By how many there were more than before the month, by the end of each of 31 days.",
                        size=None,
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        models.F("change_id"),
                        condition=models.Q(("change_id", 0), _negated=True),
                        name="policytally_under_way",
                    )
                ],
            },
        ),
        migrations.RunSQL(install(), remove()),
        migrations.RunSQL(fill(), migrations.RunSQL.noop),
        migrations.RunSQL(VERSION, "DELETE FROM data_version WHERE \"table\" = 'regulations_policytally'"),
        migrations.RunSQL(STAMP, BEFORE),
    ]
