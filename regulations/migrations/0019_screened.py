"""Warnings are found by the domains and names that they tell, and companies by a part of their website's host."""

from importlib import import_module

from django.db import migrations

from regulations.models.search_documents import INSTALL, REMOVE

changes = import_module("regulations.migrations.0004_changes")
# As in `models/identities.py` (Host), word for word.
HOST = "lower(substring(\"website\" FROM '^[a-zA-Z]+://(?:www\\.)?([^/:?#]+)'))"


class Migration(migrations.Migration):
    dependencies = [("regulations", "0018_authorised_by")]

    operations = [
        migrations.RunSQL(changes.DROP_AS_KNOWN, changes.MAKE_AS_KNOWN),
        migrations.RunSQL(
            f"CREATE INDEX company_website_alike ON regulations_company USING gin (({HOST}) gin_trgm_ops)",
            "DROP INDEX company_website_alike",
        ),
        migrations.RunSQL(INSTALL, REMOVE),
        migrations.RunSQL(changes.MAKE_AS_KNOWN, changes.DROP_AS_KNOWN),
    ]
