"""What records rest on, counted by place; kept by triggers, and added for good as a change ends."""

from importlib import import_module

import django.contrib.postgres.fields
from django.db import migrations, models

from regulations.models import evidence_tallies, record_evidence

BEFORE = import_module("regulations.migrations.0017_policy_tallies").STAMP
STAMP = BEFORE.replace("RETURN NULL;", "PERFORM regulations_end_evidence_tallies(NEW.id);\n    RETURN NULL;")

VERSION = """
INSERT INTO data_version ("table", moment) SELECT 'regulations_evidencetally', max(moment) FROM data_version
"""

class Migration(migrations.Migration):

    dependencies = [
        ('regulations', '0023_policies_of_a_place'),
    ]

    operations = [
        migrations.CreateModel(
            name='RecordEvidence',
            fields=[
                ('pk', models.CompositePrimaryKey('collection', 'record_id', blank=True, editable=False, primary_key=True, serialize=False)),
                ('collection', models.SmallIntegerField(help_text='What sort of record it is, as a number.')),
                ('record_id', models.BigIntegerField(help_text='The record; of milestones, the policy.')),
                ('jurisdiction_id', models.BigIntegerField(help_text='The place that it belongs to, if any.', null=True)),
                ('count', models.IntegerField(help_text='How many records these are.')),
                ('cited_count', models.IntegerField(help_text='How many of them have a citation.')),
                ('days', django.contrib.postgres.fields.ArrayField(base_field=models.DateField(), help_text='The days of the milestones.', size=None)),
                ('last_read_on', models.DateField(help_text='The newest day on which a source of them was read.', null=True)),
                ('newest_source_on', models.DateField(help_text='The newest publication that one of them rests on.', null=True)),
            ],
        ),
        migrations.CreateModel(
            name='EvidenceTally',
            fields=[
                ('pk', models.CompositePrimaryKey('jurisdiction_id', 'collection', 'counted', 'day', 'change_id', blank=True, editable=False, primary_key=True, serialize=False)),
                ('jurisdiction_id', models.BigIntegerField(help_text='The place.')),
                ('collection', models.SmallIntegerField(help_text='Which records, as RecordEvidence numbers them.')),
                ('counted', models.SmallIntegerField(choices=[(1, 'All records'), (2, 'Those with a citation'), (3, 'Milestones, by their day'), (4, 'By the newest day on which a source was read'), (5, 'By the newest publication of a source')], help_text='What is counted.')),
                ('day', models.DateField(help_text='The day; the first of all where it has to do with none.')),
                ('change_id', models.BigIntegerField(help_text='The change that is under way; 0 for all that are done.')),
                ('number', models.IntegerField(help_text='How many.')),
            ],
            options={
                'indexes': [models.Index(models.F('change_id'), condition=models.Q(('change_id', 0), _negated=True), name='evidencetally_under_way')],
            },
        ),
        migrations.RunSQL(record_evidence.install(), record_evidence.remove()),
        migrations.RunSQL("SELECT regulations_rebuild_record_evidence()", migrations.RunSQL.noop),
        migrations.RunSQL(evidence_tallies.install(), evidence_tallies.remove()),
        migrations.RunSQL(evidence_tallies.fill(), migrations.RunSQL.noop),
        migrations.RunSQL(VERSION, "DELETE FROM data_version WHERE \"table\" = 'regulations_evidencetally'"),
        migrations.RunSQL(STAMP, BEFORE),
    ]
