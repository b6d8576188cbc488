#!/usr/bin/env python3
"""Everything that we run by hand: `./manage.py help` lists it."""

import os
import signal
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kbase.settings")
    # An ordinary exit lets the embedded database stop with its last user.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    from kbase.embedded import EmbeddedError

    try:
        execute_from_command_line(sys.argv)
    except (EmbeddedError, ImproperlyConfigured) as error:
        sys.exit(f"kbase: {error}")


if __name__ == "__main__":
    main()
