"""Collecting the static files, but only when one of them has changed."""

import hashlib

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command


def collect_if_changed() -> bool:
    """Bring STATIC_ROOT in line with its sources. Returns whether there was anything to do."""
    stamp = settings.STATIC_ROOT / ".sources"
    sources = fingerprint()
    if stamp.exists() and stamp.read_text() == sources:
        return False
    call_command("collectstatic", interactive=False, clear=True, verbosity=0)
    stamp.write_text(sources)
    return True


def fingerprint() -> str:
    """Return a text that differs as soon as a static file is added, removed or written anew."""
    digest = hashlib.sha256()
    for finder in get_finders():
        for name, storage in finder.list([]):
            digest.update(f"{name} {storage.size(name)} {storage.get_modified_time(name)}\n".encode())
    return digest.hexdigest()
