"""One table in which companies are looked for by their permissions, kept by triggers."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

from regulations.models.authorisation_facets import install, remove

FILL = """
SELECT regulations_rebuild_authorisation_facets();
INSERT INTO data_version ("table", moment) SELECT 'regulations_authorisationfacet', max(moment) FROM data_version;
"""


def naming(to: str, help_text: str, **options: bool) -> models.ForeignKey:
    return models.ForeignKey(
        db_constraint=False,
        db_index=False,
        help_text=help_text,
        on_delete=django.db.models.deletion.DO_NOTHING,
        related_name="+",
        to=f"regulations.{to}",
        **options,
    )


class Migration(migrations.Migration):
    dependencies = [("regulations", "0021_policy_dates_of_policies")]

    operations = [
        migrations.CreateModel(
            name="AuthorisationFacet",
            fields=[
                (
                    "authorisation",
                    models.OneToOneField(
                        db_constraint=False,
                        help_text="The authorisation.",
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="regulations.authorisation",
                    ),
                ),
                ("company", naming("company", "Who is permitted.")),
                ("slug", models.CharField(db_collation="C", help_text="The company's key.", max_length=120)),
                ("regulator", naming("regulator", "Who permits it.", null=True)),
                ("jurisdiction", naming("jurisdiction", "Under whose law it is.")),
                (
                    "kind",
                    models.CharField(db_collation="C", help_text="What sort of permission it is.", max_length=32),
                ),
                (
                    "activities",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), help_text="The topics that it permits.", size=None
                    ),
                ),
                ("applied_on", models.DateField(help_text="When it was applied for.", null=True)),
                ("granted_on", models.DateField(help_text="The first day on which it was held.", null=True)),
                ("ended_on", models.DateField(help_text="The first day on which it was held no longer.", null=True)),
            ],
        ),
        migrations.RunSQL(install(), remove()),
        # Filled before it has its indexes, which is faster.
        migrations.RunSQL(FILL, "DELETE FROM data_version WHERE \"table\" = 'regulations_authorisationfacet'"),
        migrations.AddIndex(
            "authorisationfacet",
            models.Index(
                models.F("regulator"),
                models.F("slug"),
                models.F("company"),
                include=("jurisdiction", "kind", "activities", "applied_on", "granted_on", "ended_on"),
                name="authorisationfacet_regulator",
            ),
        ),
        migrations.AddIndex(
            "authorisationfacet",
            models.Index(
                models.F("jurisdiction"),
                models.F("slug"),
                models.F("company"),
                include=("regulator", "kind", "activities", "applied_on", "granted_on", "ended_on"),
                name="authorisationfacet_place",
            ),
        ),
    ]
