"""The database keeps a policy's dates in line with its milestones, whoever writes them and however many at once."""

from django.db import migrations

KEEP_DATES = """
CREATE FUNCTION regulations_keep_policy_dates() RETURNS trigger LANGUAGE plpgsql
-- A plan made for one step would be kept for a bulk load of a million in the same session.
SET plan_cache_mode = force_custom_plan AS $$
DECLARE
    touched bigint[];
BEGIN
    IF TG_OP = 'INSERT' THEN
        touched := ARRAY(SELECT DISTINCT policy_id FROM new_rows);
    ELSIF TG_OP = 'DELETE' THEN
        touched := ARRAY(SELECT DISTINCT policy_id FROM old_rows);
    ELSE
        touched := ARRAY(SELECT policy_id FROM new_rows UNION SELECT policy_id FROM old_rows);
    END IF;

    WITH steps AS (
        SELECT policy.id,
               min(step.date) AS introduced_on,
               min(step.date) FILTER (WHERE step.kind IN ('in_force', 'applies')) AS effective_from,
               max(step.date) FILTER (WHERE step.kind IN ('in_force', 'applies')) AS last_effect_on,
               max(step.date) FILTER (WHERE step.kind IN ('superseded', 'repealed', 'withdrawn')) AS last_end_on
        FROM regulations_policy AS policy
        LEFT JOIN regulations_milestone AS step ON step.policy_id = policy.id
        WHERE policy.id = ANY (touched)
        GROUP BY policy.id
    ), dates AS (
        SELECT id, introduced_on, effective_from,
               CASE WHEN last_end_on >= last_effect_on THEN last_end_on END AS effective_until
        FROM steps
    )
    UPDATE regulations_policy AS policy
    SET introduced_on = dates.introduced_on,
        effective_from = dates.effective_from,
        effective_until = dates.effective_until
    FROM dates
    WHERE policy.id = dates.id
      AND (policy.introduced_on, policy.effective_from, policy.effective_until)
          IS DISTINCT FROM (dates.introduced_on, dates.effective_from, dates.effective_until);
    RETURN NULL;
END
$$;
CREATE TRIGGER policy_dates_insert AFTER INSERT ON regulations_milestone
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION regulations_keep_policy_dates();
CREATE TRIGGER policy_dates_update AFTER UPDATE ON regulations_milestone
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION regulations_keep_policy_dates();
CREATE TRIGGER policy_dates_delete AFTER DELETE ON regulations_milestone
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION regulations_keep_policy_dates();
"""

FORGET_DATES = """
DROP TRIGGER policy_dates_insert ON regulations_milestone;
DROP TRIGGER policy_dates_update ON regulations_milestone;
DROP TRIGGER policy_dates_delete ON regulations_milestone;
DROP FUNCTION regulations_keep_policy_dates();
"""


class Migration(migrations.Migration):
    dependencies = [("regulations", "0001_initial")]
    operations = [migrations.RunSQL(KEEP_DATES, FORGET_DATES)]
