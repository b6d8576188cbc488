"""Each table has a version: the moment of its last change, bumped by the changing transaction as it ends."""

from importlib import import_module

import django.contrib.postgres.fields
from django.db import migrations, models

CHANGE_OF = """
-- The change that this transaction makes, which changes this table too.
CREATE FUNCTION regulations_change_of(changed_table text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    this_change bigint := regulations_this_change();
BEGIN
    UPDATE regulations_change SET tables = tables || changed_table
    WHERE id = this_change AND NOT changed_table = ANY (tables);
    RETURN this_change;
END
$$
"""

past_rows = import_module("regulations.migrations.0007_past_rows")
# It is called once in the function itself, and once in a statement that has the table's name as its first value.
RECORD = past_rows.RECORD.replace("regulations_this_change()", "regulations_change_of(TG_TABLE_NAME)", 1).replace(
    "regulations_this_change()", "regulations_change_of(%1$L)"
)

STAMP = """
CREATE OR REPLACE FUNCTION regulations_stamp_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    microseconds bigint;
BEGIN
    -- Held until the transaction has ended and all can see it, so that moments are given in the order of commits.
    PERFORM pg_advisory_xact_lock(1802723445);
    SELECT greatest((extract(epoch FROM clock_timestamp()) * 1000000)::bigint, last_value + 1)
    INTO microseconds FROM regulations_moments;
    PERFORM setval('regulations_moments', microseconds);
    UPDATE regulations_change SET moment = 'epoch'::timestamptz + microseconds * interval '1 microsecond'
    WHERE id = NEW.id;
    {versions}
    RETURN NULL;
END
$$
"""
VERSIONS = """
    INSERT INTO data_version ("table", moment)
    SELECT unnest(tables), moment FROM regulations_change WHERE id = NEW.id
    ON CONFLICT ("table") DO UPDATE SET moment = excluded.moment;
"""

FILL = """
UPDATE regulations_change AS change SET tables = ARRAY(
    SELECT DISTINCT "table" FROM regulations_revision WHERE change_id = change.id ORDER BY "table"
);
INSERT INTO data_version ("table", moment)
SELECT relname, (SELECT max(moment) FROM regulations_change WHERE relname = ANY (tables))
FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid WHERE tgname = 'revision_insert'
"""


class Migration(migrations.Migration):
    dependencies = [("regulations", "0007_past_rows")]

    operations = [
        migrations.AddField(
            "change",
            "tables",
            django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=63),
                default=list,
                help_text="The tables that it changed.",
                size=None,
            ),
        ),
        migrations.CreateModel(
            name="DataVersion",
            fields=[
                (
                    "table",
                    models.CharField(help_text="The table.", max_length=63, primary_key=True, serialize=False),
                ),
                (
                    "moment",
                    models.DateTimeField(
                        help_text="The moment of its last change; empty if there was none.", null=True
                    ),
                ),
            ],
            options={"db_table": "data_version"},
        ),
        # Django gives a default to new rows itself; those of our functions need the database's.
        migrations.RunSQL(
            "ALTER TABLE regulations_change ALTER COLUMN tables SET DEFAULT '{}'",
            "ALTER TABLE regulations_change ALTER COLUMN tables DROP DEFAULT",
        ),
        migrations.RunSQL(CHANGE_OF, "DROP FUNCTION regulations_change_of(text)"),
        migrations.RunSQL(RECORD, past_rows.RECORD),
        migrations.RunSQL(STAMP.format(versions=VERSIONS), STAMP.format(versions="")),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
    ]
