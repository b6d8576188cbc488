"""Which policies may have stood otherwise in PolicyFacet at a past moment."""

from django.db import migrations

# Of a row that was changed since, both states count: that of now, and the first since, which was that of then.
CHANGED = """
DO $do$ BEGIN EXECUTE format($sql$
    CREATE OR REPLACE FUNCTION regulations_policies_changed_since() RETURNS bigint[] STABLE LANGUAGE plpgsql AS $$
    BEGIN
        RETURN ARRAY(
            SELECT unnest(as_known.touched('regulations_policy')) UNION
            SELECT policy_id FROM %1$I.regulations_milestone
            WHERE id = ANY ((SELECT as_known.touched('regulations_milestone'))::bigint[]) UNION
            SELECT policy_id FROM as_known.past_regulations_milestone
            WHERE revision_id = ANY ((SELECT as_known.ending('regulations_milestone'))::bigint[]) UNION
            SELECT policy_id FROM %1$I.regulations_policy_topics
            WHERE id = ANY ((SELECT as_known.touched('regulations_policy_topics'))::bigint[]) UNION
            SELECT policy_id FROM as_known.past_regulations_policy_topics
            WHERE revision_id = ANY ((SELECT as_known.ending('regulations_policy_topics'))::bigint[])
            ORDER BY 1
        );
    END
    $$
$sql$, current_schema()); END $do$;
"""


class Migration(migrations.Migration):
    dependencies = [("regulations", "0024_evidence_tallies")]

    operations = [migrations.RunSQL(CHANGED, "DROP FUNCTION regulations_policies_changed_since()")]
