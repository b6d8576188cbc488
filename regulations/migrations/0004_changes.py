"""Changes made together are one change, whose moment is given in the order of commits; what we said at any moment can
be read again, in the schema `as_known`.

A later migration that alters a table begins with DROP_AS_KNOWN and ends with MAKE_AS_KNOWN, for the views name the
tables' columns.
"""

import django.db.models.deletion
import regulations.models.base
from django.db import migrations, models

DROP_AS_KNOWN = "DROP SCHEMA as_known CASCADE"
MAKE_AS_KNOWN = "SELECT regulations_make_as_known()"

GATHER = """
INSERT INTO regulations_change (transaction_id, actor, kind, reason, moment)
SELECT transaction_id, actor, kind, reason,
       min(recorded_at) + row_number() OVER (ORDER BY transaction_id, min(id)) * interval '1 microsecond'
FROM regulations_revision GROUP BY transaction_id, actor, kind, reason ORDER BY transaction_id, min(id);
UPDATE regulations_revision AS revision SET change_id = change.id FROM regulations_change AS change
WHERE (change.transaction_id, change.actor, change.kind, change.reason)
    = (revision.transaction_id, revision.actor, revision.kind, revision.reason)
"""

# The key of the advisory lock is the one in kbase/reading/clock.py.
STAMP = """
-- The moment given last, in microseconds since 1970. A sequence, as its value is seen by all at once.
CREATE SEQUENCE regulations_moments;
SELECT setval('regulations_moments', greatest(1, (extract(epoch FROM max(moment)) * 1000000)::bigint))
FROM regulations_change;

CREATE FUNCTION regulations_stamp_change() RETURNS trigger LANGUAGE plpgsql AS $$
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
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER change_stamp AFTER INSERT ON regulations_change
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION regulations_stamp_change()
"""

UNSTAMP = """
DROP TRIGGER change_stamp ON regulations_change;
DROP FUNCTION regulations_stamp_change();
DROP SEQUENCE regulations_moments
"""

THIS_CHANGE = """
DROP FUNCTION regulations_told_of_change();
CREATE FUNCTION regulations_this_change() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    told record;
    found_id bigint;
BEGIN
    SELECT pg_current_xact_id()::text::bigint AS transaction_id,
           coalesce(current_setting('kbase.actor', true), '') AS actor,
           coalesce(nullif(current_setting('kbase.kind', true), ''), 'unstated') AS kind,
           coalesce(current_setting('kbase.reason', true), '') AS reason
    INTO told;
    INSERT INTO regulations_change (transaction_id, actor, kind, reason)
    VALUES (told.transaction_id, told.actor, told.kind, told.reason)
    ON CONFLICT (transaction_id, actor, kind, reason) WHERE moment IS NULL DO NOTHING
    RETURNING id INTO found_id;
    IF found_id IS NULL THEN
        SELECT id INTO found_id FROM regulations_change AS change
        WHERE moment IS NULL AND (change.transaction_id, change.actor, change.kind, change.reason)
            = (told.transaction_id, told.actor, told.kind, told.reason);
    END IF;
    RETURN found_id;
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
            (SELECT regulations_this_change() AS change_id WHERE EXISTS (SELECT FROM new_rows))
        SELECT TG_TABLE_NAME, new_row.id, NULL, to_jsonb(new_row), change_id
        FROM new_rows AS new_row CROSS JOIN told ORDER BY new_row.id;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO regulations_revision ("table", row_id, before, after, change_id)
        WITH told AS MATERIALIZED
            (SELECT regulations_this_change() AS change_id WHERE EXISTS (SELECT FROM old_rows))
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
            (SELECT regulations_this_change() AS change_id WHERE EXISTS (SELECT FROM changed))
        SELECT TG_TABLE_NAME, id, before, after, change_id FROM changed CROSS JOIN told ORDER BY id;
    END IF;
    RETURN NULL;
END
$$
"""

REFUSE_TRUNCATE = """
CREATE FUNCTION regulations_refuse_truncate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'TRUNCATE of % would not be written down as a change; use DELETE.', TG_TABLE_NAME;
END
$$;
DO $$
DECLARE
    watched text;
BEGIN
    FOR watched IN SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'revision_insert' LOOP
        EXECUTE format('CREATE TRIGGER revision_truncate BEFORE TRUNCATE ON %s
                        FOR EACH STATEMENT EXECUTE FUNCTION regulations_refuse_truncate()', watched);
    END LOOP;
END
$$
"""

KEYS = """
-- The natural key in a row of ours, whatever it is called.
CREATE FUNCTION regulations_key_of(known_row jsonb) RETURNS text IMMUTABLE PARALLEL SAFE LANGUAGE sql AS
$$ SELECT coalesce(known_row->>'slug', known_row->>'code', known_row->>'key') $$;
CREATE INDEX revision_of_old_key ON regulations_revision ("table", regulations_key_of(before), id DESC)
WHERE regulations_key_of(before) IS DISTINCT FROM regulations_key_of(after) AND before IS NOT NULL
"""

FORGET_KEYS = """
DROP INDEX revision_of_old_key;
DROP FUNCTION regulations_key_of
"""

AS_KNOWN = """
CREATE FUNCTION regulations_make_as_known() RETURNS void LANGUAGE plpgsql AS $make$
DECLARE
    ours text := current_schema();
    watched text;
    columns text;
BEGIN
    CREATE SCHEMA as_known;
    EXECUTE format($sql$
        CREATE FUNCTION as_known.moment() RETURNS timestamptz STABLE LANGUAGE sql AS
        $$ SELECT current_setting('kbase.known_at')::timestamptz $$;
        -- The moment of the last change that can be seen.
        CREATE FUNCTION as_known.last_change() RETURNS timestamptz STABLE LANGUAGE sql AS
        $$ SELECT max(moment) FROM %1$I.regulations_change $$;
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
        SELECT string_agg(format('%%1$s.%I', attname), ', ' ORDER BY attnum) INTO columns
        FROM pg_attribute
        WHERE attrelid = format('%I.%I', ours, watched)::regclass AND attnum > 0 AND NOT attisdropped;
        -- Rows that were not touched since stand as they are; the others as they were before they were first touched.
        EXECUTE format($sql$
            CREATE VIEW as_known.%2$I AS
            SELECT %3$s FROM %1$I.%2$I AS live WHERE NOT EXISTS (
                SELECT FROM %1$I.regulations_revision AS revision
                JOIN %1$I.regulations_change AS change ON change.id = revision.change_id
                WHERE revision."table" = %2$L AND revision.row_id = live.id
                  AND (change.moment > as_known.moment() OR change.moment IS NULL))
            UNION ALL
            SELECT %4$s FROM (
                SELECT DISTINCT ON (revision.row_id) revision.before
                FROM %1$I.regulations_revision AS revision
                JOIN %1$I.regulations_change AS change ON change.id = revision.change_id
                WHERE revision."table" = %2$L AND (change.moment > as_known.moment() OR change.moment IS NULL)
                ORDER BY revision.row_id, revision.id
            ) AS first_since
            CROSS JOIN LATERAL jsonb_populate_record(NULL::%1$I.%2$I, first_since.before) AS past
            WHERE first_since.before IS NOT NULL
        $sql$, ours, watched, format(columns, 'live'), format(columns, 'past'));
    END LOOP;
END
$make$
"""


class Migration(migrations.Migration):
    dependencies = [("regulations", "0003_revisions")]

    operations = [
        migrations.CreateModel(
            name="Change",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "moment",
                    models.DateTimeField(
                        help_text="When it was made, in the order of commits; empty until it is committed.",
                        null=True,
                        unique=True,
                    ),
                ),
                (
                    "transaction_id",
                    models.BigIntegerField(help_text="PostgreSQL's number of the transaction that made it."),
                ),
                ("actor", models.CharField(blank=True, help_text="Who or what made it.", max_length=150)),
                ("reason", models.CharField(blank=True, help_text="Why.", max_length=500)),
                (
                    "kind",
                    regulations.models.base.CodeField(
                        choices=[
                            ("world", "The world changed"),
                            ("correction", "We corrected our record"),
                            ("editorial", "Wording"),
                            ("verification", "Checked, unchanged"),
                            ("import", "Import"),
                            ("unstated", "Not stated"),
                        ],
                        default="unstated",
                        help_text="What kind of change it is.",
                        max_length=32,
                    ),
                ),
            ],
            options={
                "ordering": [models.F("moment").desc(nulls_first=True), "-pk"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("moment__isnull", True)),
                        fields=("transaction_id", "actor", "kind", "reason"),
                        name="change_open_once",
                    )
                ],
            },
        ),
        migrations.AddField(
            "revision",
            "change",
            models.ForeignKey(
                db_constraint=False,
                help_text="The change that it is part of.",
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="revisions",
                to="regulations.change",
            ),
        ),
        migrations.RunSQL(GATHER),
        migrations.AlterField(
            "revision",
            "change",
            models.ForeignKey(
                db_constraint=False,
                help_text="The change that it is part of.",
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="revisions",
                to="regulations.change",
            ),
        ),
        *(
            migrations.RemoveField("revision", name)
            for name in ("recorded_at", "transaction_id", "actor", "kind", "reason")
        ),
        migrations.RunSQL(STAMP, UNSTAMP),
        migrations.RunSQL(THIS_CHANGE),
        migrations.RunSQL(RECORD),
        migrations.RunSQL(REFUSE_TRUNCATE),
        migrations.RunSQL(KEYS, FORGET_KEYS),
        migrations.RunSQL(AS_KNOWN, "DROP FUNCTION regulations_make_as_known()"),
        migrations.RunSQL(MAKE_AS_KNOWN, DROP_AS_KNOWN),
    ]
