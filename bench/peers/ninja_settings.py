"""Our own settings, all of them; only the addresses lead to django-ninja."""

from kbase.settings import *  # noqa: F403 (it is the whole point)

ROOT_URLCONF = "bench.peers.ninja_urls"
