"""Indexes for lists that few companies meet the filters of: which company, and where it is authorised on a day."""


from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("regulations", "0011_resolve_indexes"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="authorisation",
            index=models.Index(
                models.F("company"),
                models.F("jurisdiction"),
                include=("regulator", "granted_on", "ended_on"),
                name="authorisation_of_company",
            ),
        ),
        migrations.AddIndex(
            model_name="company",
            index=models.Index(models.F("slug"), include=("id",), name="company_by_slug"),
        ),
    ]
