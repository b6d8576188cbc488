"""The companies that a regulator has authorised are found from an index alone."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("regulations", "0017_policy_tallies")]

    operations = [
        migrations.AddIndex(
            "authorisation",
            models.Index(
                models.F("regulator"),
                models.F("company"),
                include=("id", "granted_on", "ended_on"),
                name="authorisation_by_regulator",
            ),
        ),
    ]
