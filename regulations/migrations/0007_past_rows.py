"""The rows that were, kept as rows, so that a question about the past walks the same indexes as one about now.

Each watched table has a table `as_known.past_<table>` of its rows as they were before each change, with the columns of
the table, the id of the revision that ended the row, and indexes on its id and its foreign keys. They can be made anew
from the revisions, which `regulations_make_as_known()` does. A view of `as_known` is then the live rows but those
touched since, and of these what was first there; both of them are plain tables to the planner.
"""

from importlib import import_module

import django.db.models.deletion
from django.db import migrations, models

changes = import_module("regulations.migrations.0004_changes")

RECORD = """
CREATE OR REPLACE FUNCTION regulations_record_revisions() RETURNS trigger LANGUAGE plpgsql
-- A plan made for one row would be kept for a bulk write of a million in the same session.
SET plan_cache_mode = force_custom_plan AS $$
DECLARE
    -- There is none while a migration alters tables; it makes them anew at its end.
    past regclass := to_regclass('as_known.past_' || TG_TABLE_NAME);
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO regulations_revision ("table", row_id, before, after, change_id)
        WITH told AS MATERIALIZED
            (SELECT regulations_this_change() AS change_id WHERE EXISTS (SELECT FROM new_rows))
        SELECT TG_TABLE_NAME, new_row.id, NULL, to_jsonb(new_row), change_id
        FROM new_rows AS new_row CROSS JOIN told ORDER BY new_row.id;
        RETURN NULL;
    END IF;
    EXECUTE format($sql$
        WITH changed AS MATERIALIZED (%2$s), told AS MATERIALIZED
            (SELECT regulations_this_change() AS change_id WHERE EXISTS (SELECT FROM changed)),
        written AS (
            INSERT INTO regulations_revision ("table", row_id, before, after, change_id)
            SELECT %1$L, id, before, after, change_id FROM changed CROSS JOIN told ORDER BY id RETURNING id, row_id
        ) %3$s
    $sql$, TG_TABLE_NAME,
    CASE TG_OP WHEN 'DELETE' THEN
        'SELECT id, to_jsonb(old_row) AS before, NULL::jsonb AS after FROM old_rows AS old_row'
    -- Saving a row as it is changes nothing, and so is not written down.
    ELSE 'SELECT id, to_jsonb(old_row) AS before, to_jsonb(new_row) AS after
          FROM new_rows AS new_row JOIN old_rows AS old_row USING (id) WHERE to_jsonb(old_row) <> to_jsonb(new_row)'
    END,
    CASE WHEN past IS NULL THEN 'SELECT count(*) FROM written' ELSE format(
        'INSERT INTO %s SELECT old_row.*, NULL, written.id
         FROM written JOIN old_rows AS old_row ON old_row.id = written.row_id ORDER BY written.id', past)
    END);
    RETURN NULL;
END
$$
"""

# Past rows are made anew from these.
WITH_BEFORE = 'CREATE INDEX revision_with_before ON regulations_revision ("table", id) WHERE before IS NOT NULL'

AS_KNOWN = """
CREATE OR REPLACE FUNCTION regulations_make_tables_as_known() RETURNS void LANGUAGE plpgsql AS $make$
DECLARE
    ours text := current_schema();
    watched text;
    columns text;
    pointing name;
BEGIN
    CREATE SCHEMA as_known;
    EXECUTE format($sql$
        CREATE FUNCTION as_known.moment() RETURNS timestamptz STABLE LANGUAGE sql AS
        $$ SELECT current_setting('kbase.known_at')::timestamptz $$;
        -- The moment of the last change that can be seen.
        CREATE FUNCTION as_known.last_change() RETURNS timestamptz STABLE LANGUAGE sql AS
        $$ SELECT max(moment) FROM %1$I.regulations_change $$;
        CREATE FUNCTION as_known.changes_since() RETURNS bigint[] STABLE LANGUAGE sql AS $$
            SELECT ARRAY(SELECT id FROM %1$I.regulations_change WHERE moment > as_known.moment() OR moment IS NULL)
        $$;
        -- The first revision of each row since the moment, of one table.
        CREATE FUNCTION as_known.first_since(wanted text) RETURNS TABLE (row_id bigint, revision_id bigint)
        STABLE LANGUAGE sql AS $$
            SELECT row_id, min(id) FROM %1$I.regulations_revision
            WHERE "table" = wanted AND change_id = ANY ((SELECT as_known.changes_since())::bigint[]) GROUP BY row_id
        $$;
        -- Look these up once for all tables, for the statements of this transaction, if they are so many at most.
        -- All of these statements must see one snapshot: who changes a row later would not be among them.
        CREATE FUNCTION as_known.gather(most bigint) RETURNS void LANGUAGE plpgsql AS $$
        DECLARE
            since bigint[] := as_known.changes_since();
        BEGIN
            IF (SELECT count(*) FROM (
                SELECT FROM %1$I.regulations_revision WHERE change_id = ANY (since) LIMIT most + 1) AS counted) > most
            THEN RETURN; END IF;
            PERFORM set_config('kbase.gathered', 'yes', true);
            PERFORM set_config('kbase.touched_' || "table", array_agg(row_id)::text, true),
                    set_config('kbase.ending_' || "table", array_agg(revision_id)::text, true)
            FROM (
                SELECT "table", row_id, min(id) AS revision_id FROM %1$I.regulations_revision
                WHERE change_id = ANY (since) GROUP BY "table", row_id
            ) AS first_since GROUP BY "table";
        END
        $$;
        CREATE FUNCTION as_known.gathered(what text) RETURNS bigint[] STABLE LANGUAGE sql AS $$
            SELECT CASE WHEN current_setting('kbase.gathered', true) = 'yes'
            THEN coalesce(nullif(current_setting('kbase.' || what, true), ''), '{}')::bigint[] END
        $$;
        -- The ids of the rows that were changed since the moment, and of the revisions that did it first.
        CREATE FUNCTION as_known.touched(wanted text) RETURNS bigint[] STABLE LANGUAGE sql AS $$
            SELECT coalesce(as_known.gathered('touched_' || wanted),
                            ARRAY(SELECT row_id FROM as_known.first_since(wanted)))
        $$;
        CREATE FUNCTION as_known.ending(wanted text) RETURNS bigint[] STABLE LANGUAGE sql AS $$
            SELECT coalesce(as_known.gathered('ending_' || wanted),
                            ARRAY(SELECT revision_id FROM as_known.first_since(wanted)))
        $$;
        -- The ids of the rows of a table that ever named this record in this column.
        CREATE FUNCTION as_known.ever_naming(wanted text, naming text, record_id bigint) RETURNS SETOF bigint
        STABLE LANGUAGE plpgsql AS $$
        BEGIN
            RETURN QUERY EXECUTE format(
                'SELECT id FROM %1$I.%%1$I WHERE %%2$I = $1 UNION SELECT id FROM as_known.%%3$I WHERE %%2$I = $1',
                wanted, naming, 'past_' || wanted) USING record_id;
        END
        $$;
        -- The row that had a key last, and, where it is no longer there, when, by what kind of change and why.
        CREATE FUNCTION as_known.last_under(wanted_table text, wanted_key text)
        RETURNS TABLE (row_id bigint, gone_at timestamptz, kind text, reason text) STABLE LANGUAGE sql AS $$
            WITH known AS MATERIALIZED
                (SELECT coalesce(nullif(current_setting('kbase.known_at', true), '')::timestamptz, 'infinity') AS moment),
            had AS (
                SELECT revision.row_id FROM %1$I.regulations_revision AS revision
                JOIN %1$I.regulations_change AS change ON change.id = revision.change_id CROSS JOIN known
                WHERE revision."table" = wanted_table AND %1$I.regulations_key_of(before) = wanted_key
                  AND %1$I.regulations_key_of(before) IS DISTINCT FROM %1$I.regulations_key_of(after)
                  AND before IS NOT NULL AND coalesce(change.moment, now()) <= known.moment
                ORDER BY revision.id DESC LIMIT 1
            )
            SELECT had.row_id,
                   CASE WHEN final.after IS NULL THEN coalesce(final.moment, now()) END,
                   CASE WHEN final.after IS NULL THEN final.kind END,
                   CASE WHEN final.after IS NULL THEN final.reason END
            FROM had CROSS JOIN LATERAL (
                SELECT revision.after, change.moment, change.kind, change.reason
                FROM %1$I.regulations_revision AS revision
                JOIN %1$I.regulations_change AS change ON change.id = revision.change_id CROSS JOIN known
                WHERE revision."table" = wanted_table AND revision.row_id = had.row_id
                  AND coalesce(change.moment, now()) <= known.moment
                ORDER BY revision.id DESC LIMIT 1
            ) AS final
        $$;
    $sql$, ours);
    FOR watched IN
        SELECT relname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid WHERE tgname = 'revision_insert'
    LOOP
        EXECUTE format($sql$
            CREATE TABLE as_known.past_%2$s AS
            SELECT past.*, NULL::boolean AS is_live, revision.id AS revision_id
            FROM %1$I.regulations_revision AS revision
            CROSS JOIN LATERAL jsonb_populate_record(NULL::%1$I.%2$I, before) AS past
            WHERE "table" = %2$L AND before IS NOT NULL;
            ALTER TABLE as_known.past_%2$s ADD PRIMARY KEY (revision_id);
            CREATE INDEX ON as_known.past_%2$s (is_live);
            CREATE INDEX ON as_known.past_%2$s (id);
        $sql$, ours, watched);
        FOR pointing IN
            SELECT attname FROM pg_constraint JOIN pg_attribute ON attrelid = conrelid AND attnum = ANY (conkey)
            WHERE conrelid = format('%I.%I', ours, watched)::regclass AND contype = 'f'
        LOOP
            EXECUTE format('CREATE INDEX ON as_known.past_%s (%I)', watched, pointing);
        END LOOP;
        EXECUTE format('ANALYZE as_known.past_%s', watched);
        SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) INTO columns
        FROM pg_attribute
        WHERE attrelid = format('%I.%I', ours, watched)::regclass AND attnum > 0 AND NOT attisdropped;
        -- The conditions stand outside of the union, which is so made of two plain tables. They are put as they are for
        -- the planner's sake: it takes both to be met by nearly all live rows, and finds past rows by either index.
        EXECUTE format($sql$
            CREATE VIEW as_known.%2$I AS SELECT %3$s FROM (
                SELECT %3$s, true AS is_live, NULL::bigint AS revision_id FROM %1$I.%2$I
                UNION ALL
                SELECT %3$s, is_live, revision_id FROM as_known.past_%2$s
            ) AS every_row
            WHERE CASE WHEN is_live AND id IN (SELECT unnest(as_known.touched(%2$L))) THEN 1 ELSE 0 END <> 1
              AND (is_live IS NOT NULL OR revision_id = ANY ((SELECT as_known.ending(%2$L))::bigint[]))
        $sql$, ours, watched, columns);
    END LOOP;
END
$make$
"""


class Migration(migrations.Migration):
    dependencies = [("regulations", "0006_search_in_bulk")]

    operations = [
        migrations.RunSQL("DROP SCHEMA IF EXISTS as_known CASCADE", changes.MAKE_AS_KNOWN),
        migrations.RunSQL(RECORD, changes.RECORD),
        migrations.AddIndex("revision", models.Index(fields=["change", "id"], name="revision_of_change")),
        migrations.AlterField(
            "revision",
            "change",
            models.ForeignKey(
                db_constraint=False,
                db_index=False,
                help_text="The change that it is part of.",
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="revisions",
                to="regulations.change",
            ),
        ),
        migrations.RunSQL(WITH_BEFORE, "DROP INDEX revision_with_before"),
        migrations.RunSQL(
            AS_KNOWN,
            changes.AS_KNOWN.replace(
                "CREATE FUNCTION regulations_make_as_known",
                "CREATE OR REPLACE FUNCTION regulations_make_tables_as_known",
            ),
        ),
        migrations.RunSQL(changes.MAKE_AS_KNOWN, changes.DROP_AS_KNOWN),
    ]
