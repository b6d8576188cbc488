"""Each table has a version: the moment of its last change, bumped by the changing transaction as it ends."""

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

RECORD = """
CREATE OR REPLACE FUNCTION regulations_record_revisions() RETURNS trigger LANGUAGE plpgsql
-- A plan made for one row would be kept for a bulk write of a million in the same session.
SET plan_cache_mode = force_custom_plan AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO regulations_revision ("table", row_id, before, after, change_id)
        WITH told AS MATERIALIZED
            (SELECT {change} AS change_id WHERE EXISTS (SELECT FROM new_rows))
        SELECT TG_TABLE_NAME, new_row.id, NULL, to_jsonb(new_row), change_id
        FROM new_rows AS new_row CROSS JOIN told ORDER BY new_row.id;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO regulations_revision ("table", row_id, before, after, change_id)
        WITH told AS MATERIALIZED
            (SELECT {change} AS change_id WHERE EXISTS (SELECT FROM old_rows))
        SELECT TG_TABLE_NAME, old_row.id, to_jsonb(old_row), NULL, change_id
        FROM old_rows AS old_row CROSS JOIN told ORDER BY old_row.id;
    ELSE
        -- Saving a row as it is changes nothing, and so is not written down.
        INSERT INTO regulations_revision ("table", row_id, before, after, change_id)
        WITH changed AS MATERIALIZED (
            SELECT new_row.id, to_jsonb(old_row) AS before, to_jsonb(new_row) AS after
            FROM new_rows AS new_row JOIN old_rows AS old_row ON old_row.id = new_row.id
            WHERE to_jsonb(old_row) <> to_jsonb(new_row)
        ), told AS MATERIALIZED
            (SELECT {change} AS change_id WHERE EXISTS (SELECT FROM changed))
        SELECT TG_TABLE_NAME, id, before, after, change_id FROM changed CROSS JOIN told ORDER BY id;
    END IF;
    RETURN NULL;
END
$$
"""

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
    dependencies = [("regulations", "0006_search_in_bulk")]

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
                    models.DateTimeField(help_text="The moment of its last change; empty if there was none.", null=True),
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
        migrations.RunSQL(
            RECORD.format(change="regulations_change_of(TG_TABLE_NAME)"),
            RECORD.format(change="regulations_this_change()"),
        ),
        migrations.RunSQL(STAMP.format(versions=VERSIONS), STAMP.format(versions="")),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
    ]
