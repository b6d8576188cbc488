"""One table in which the ids of policies are looked for, kept by triggers."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

from regulations.models.policy_facets import install, remove

FILL = """
SELECT regulations_rebuild_policy_facets();
INSERT INTO data_version ("table", moment) SELECT 'regulations_policyfacet', max(moment) FROM data_version;
"""


class Migration(migrations.Migration):
    dependencies = [("regulations", "0009_search_segments")]

    operations = [
        migrations.CreateModel(
            name="PolicyFacet",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "policy_id", "topic_id", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("topic_id", models.BigIntegerField(help_text="One of its topics; 0 for the policy itself.")),
                (
                    "kind",
                    models.CharField(db_collation="C", help_text="What sort of instrument it is.", max_length=32),
                ),
                ("introduced_on", models.DateField(help_text="The date of the first milestone.", null=True)),
                ("slug", models.CharField(db_collation="C", help_text="The policy's key.", max_length=120)),
                (
                    "days",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.DateField(), help_text="The days of its milestones, in order.", size=None
                    ),
                ),
                (
                    "statuses",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.SmallIntegerField(),
                        help_text="Its status from each of these days on, as a number.",
                        size=None,
                    ),
                ),
                (
                    "jurisdiction",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        help_text="Whose law it is.",
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="regulations.jurisdiction",
                    ),
                ),
                (
                    "policy",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        help_text="The policy.",
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="regulations.policy",
                    ),
                ),
            ],
        ),
        migrations.RunSQL(install(), remove()),
        # Filled before it has its indexes, which is faster.
        migrations.RunSQL(FILL, "DELETE FROM data_version WHERE \"table\" = 'regulations_policyfacet'"),
        migrations.AddIndex(
            "policyfacet",
            models.Index(
                models.F("topic_id"),
                models.OrderBy(models.F("introduced_on"), descending=True, nulls_last=True),
                models.F("slug"),
                include=("policy", "jurisdiction", "kind", "days", "statuses"),
                name="policyfacet_newest",
            ),
        ),
        migrations.AddIndex(
            "policyfacet",
            models.Index(
                models.F("topic_id"),
                models.F("jurisdiction"),
                models.OrderBy(models.F("introduced_on"), descending=True, nulls_last=True),
                models.F("slug"),
                include=("policy", "kind", "days", "statuses"),
                name="policyfacet_newest_by_place",
            ),
        ),
    ]
