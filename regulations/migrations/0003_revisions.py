"""Every change of every row is written down, whoever makes it: the admin, an import, a bulk write, raw SQL."""

import regulations.models.base
from django.db import migrations, models

TABLES = """
authorisation authorisation_activities authorisation_valid_in regulator organisation citation company
company_activities companyname companyidentifier companyrelation enforcementaction enforcementaction_companies
enforcementaction_policies event event_speakers eventstep eventorganiser figure jurisdiction membership measure
measure_topics measureeffect milestone person appointment policy policy_topics policyregulator policyrelation
provision source sourcerelation mention stance stance_policies topic
""".split()

RECORD = """
CREATE FUNCTION regulations_record_revisions() RETURNS trigger LANGUAGE plpgsql
-- A plan made for one row would be kept for a bulk write of a million in the same session.
SET plan_cache_mode = force_custom_plan AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO regulations_revision
            ("table", row_id, before, after, recorded_at, transaction_id, actor, kind, reason)
        SELECT TG_TABLE_NAME, new_row.id, NULL, to_jsonb(new_row), told.*
        FROM new_rows AS new_row CROSS JOIN regulations_told_of_change() AS told ORDER BY new_row.id;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO regulations_revision
            ("table", row_id, before, after, recorded_at, transaction_id, actor, kind, reason)
        SELECT TG_TABLE_NAME, old_row.id, to_jsonb(old_row), NULL, told.*
        FROM old_rows AS old_row CROSS JOIN regulations_told_of_change() AS told ORDER BY old_row.id;
    ELSE
        -- Saving a row as it is changes nothing, and so is not written down.
        INSERT INTO regulations_revision
            ("table", row_id, before, after, recorded_at, transaction_id, actor, kind, reason)
        SELECT TG_TABLE_NAME, new_row.id, to_jsonb(old_row), to_jsonb(new_row), told.*
        FROM new_rows AS new_row JOIN old_rows AS old_row ON old_row.id = new_row.id
        CROSS JOIN regulations_told_of_change() AS told
        WHERE to_jsonb(old_row) <> to_jsonb(new_row) ORDER BY new_row.id;
    END IF;
    RETURN NULL;
END
$$
"""

TOLD = """
CREATE FUNCTION regulations_told_of_change()
RETURNS TABLE (recorded_at timestamptz, transaction_id bigint, actor text, kind text, reason text)
LANGUAGE sql STABLE AS $$
    SELECT transaction_timestamp(), pg_current_xact_id()::text::bigint,
           coalesce(current_setting('kbase.actor', true), ''),
           coalesce(nullif(current_setting('kbase.kind', true), ''), 'unstated'),
           coalesce(current_setting('kbase.reason', true), '')
$$
"""

TRIGGERS = """
CREATE TRIGGER revision_insert AFTER INSERT ON regulations_{table}
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION regulations_record_revisions();
CREATE TRIGGER revision_update AFTER UPDATE ON regulations_{table}
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION regulations_record_revisions();
CREATE TRIGGER revision_delete AFTER DELETE ON regulations_{table}
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION regulations_record_revisions();
"""

NO_TRIGGERS = """
DROP TRIGGER revision_insert ON regulations_{table};
DROP TRIGGER revision_update ON regulations_{table};
DROP TRIGGER revision_delete ON regulations_{table};
"""


class Migration(migrations.Migration):
    dependencies = [
        ("regulations", "0002_policy_dates"),
    ]

    operations = [
        migrations.CreateModel(
            name="Revision",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("table", models.CharField(help_text="The table of the row.", max_length=63)),
                ("row_id", models.BigIntegerField(help_text="The row's id.")),
                ("before", models.JSONField(help_text="The row before the change; empty for a new one.", null=True)),
                ("after", models.JSONField(help_text="The row after the change; empty for a deleted one.", null=True)),
                ("recorded_at", models.DateTimeField(help_text="When the changing transaction began.")),
                (
                    "transaction_id",
                    models.BigIntegerField(help_text="The transaction: changes made together share it."),
                ),
                ("actor", models.CharField(blank=True, help_text="Who or what made the change.", max_length=150)),
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
                "ordering": ["-pk"],
                "indexes": [
                    models.Index(models.F("table"), models.F("row_id"), models.F("id"), name="revision_of_row")
                ],
            },
        ),
        migrations.RunSQL(TOLD, "DROP FUNCTION regulations_told_of_change()"),
        migrations.RunSQL(RECORD, "DROP FUNCTION regulations_record_revisions()"),
        *(migrations.RunSQL(TRIGGERS.format(table=name), NO_TRIGGERS.format(table=name)) for name in TABLES),
    ]
