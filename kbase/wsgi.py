"""The application for a WSGI server: `kbase.wsgi:application`."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kbase.settings")

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db import connections

application = get_wsgi_application()

# Only what answers the web is limited: a migration or an import may take its time.
for database in connections.settings.values():
    database["OPTIONS"]["options"] += f" -c statement_timeout={settings.STATEMENT_TIMEOUT_SECONDS}s"
