"""The policies of a place in the order of their keys."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("regulations", "0022_authorisation_facets")]

    operations = [
        migrations.AddIndex(
            "policy",
            models.Index(
                models.F("jurisdiction"), models.F("slug"), include=("id",), name="policy_by_jurisdiction"
            ),
        ),
    ]
