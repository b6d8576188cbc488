"""Our own settings, all of them; only the addresses lead elsewhere."""

from kbase.settings import *  # noqa: F403 (it is the whole point)

ROOT_URLCONF = "bench.baseline.urls"
