"""What an edit makes anew, it makes by plans that were made before."""

from django.db import migrations

from regulations.models import authorisation_facets, policy_facets, record_evidence
from regulations.models.search_documents import REFRESHERS


class Migration(migrations.Migration):
    dependencies = [("regulations", "0027_search_sooner")]

    # These functions do what those from before did, so there is nothing to take back.
    operations = [
        migrations.RunSQL(made, migrations.RunSQL.noop)
        for made in (policy_facets.install(), authorisation_facets.install(), record_evidence.install(), REFRESHERS)
    ]
