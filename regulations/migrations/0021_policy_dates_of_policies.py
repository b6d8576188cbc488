"""A policy's dates are those of its milestones also when the policy's own row is written: reverted, restored, by SQL."""

from django.db import migrations

KEEP = """
CREATE FUNCTION regulations_keep_own_policy_dates() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    SELECT min(date), min(date) FILTER (WHERE kind IN ('in_force', 'applies')),
           CASE WHEN max(date) FILTER (WHERE kind IN ('superseded', 'repealed', 'withdrawn'))
                  >= max(date) FILTER (WHERE kind IN ('in_force', 'applies'))
                THEN max(date) FILTER (WHERE kind IN ('superseded', 'repealed', 'withdrawn')) END
    INTO NEW.introduced_on, NEW.effective_from, NEW.effective_until
    FROM regulations_milestone WHERE policy_id = NEW.id;
    RETURN NEW;
END
$$;
CREATE TRIGGER policy_dates_own_insert BEFORE INSERT ON regulations_policy FOR EACH ROW
    WHEN (num_nonnulls(NEW.introduced_on, NEW.effective_from, NEW.effective_until) > 0)
    EXECUTE FUNCTION regulations_keep_own_policy_dates();
CREATE TRIGGER policy_dates_own_update BEFORE UPDATE ON regulations_policy FOR EACH ROW
    WHEN ((OLD.introduced_on, OLD.effective_from, OLD.effective_until)
          IS DISTINCT FROM (NEW.introduced_on, NEW.effective_from, NEW.effective_until))
    EXECUTE FUNCTION regulations_keep_own_policy_dates();
"""

FORGET = """
DROP TRIGGER policy_dates_own_insert ON regulations_policy;
DROP TRIGGER policy_dates_own_update ON regulations_policy;
DROP FUNCTION regulations_keep_own_policy_dates();
"""


class Migration(migrations.Migration):
    dependencies = [("regulations", "0020_published_by")]

    operations = [migrations.RunSQL(KEEP, FORGET)]
