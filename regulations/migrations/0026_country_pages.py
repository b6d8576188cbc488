"""Indexes that alone tell what a country page counts of laws and permissions."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('regulations', '0025_changed_policies'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='authorisation',
            index=models.Index(models.F('jurisdiction'), models.OrderBy(models.F('granted_on'), descending=True, nulls_last=True), models.F('key'), include=('ended_on', 'applied_on'), name='authorisation_newest_in_place'),
        ),
        migrations.AddIndex(
            model_name='policy',
            index=models.Index(models.F('jurisdiction'), models.F('kind'), condition=models.Q(('effective_from__isnull', True)), name='policy_without_start'),
        ),
    ]
