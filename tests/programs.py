"""Programs that are no Python packages, and so are not everywhere: a test that needs one is skipped without it."""

import shutil
import subprocess
import time
from contextlib import contextmanager

import pytest


def program(name):
    """The path of a program; where there is none, the test is skipped. Debian has all of them (`.ci/run` installs them)."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    return found or pytest.skip(f"{name} is not installed")


@contextmanager
def started(*command, until, **options):
    """Run a program while inside, from when it is ready; `until` says whether it is."""
    process = subprocess.Popen([*map(str, command)], stdin=subprocess.DEVNULL, **options)
    try:
        deadline = time.monotonic() + 60
        while not until():
            assert process.poll() is None, f"{command[0]} has ended"
            assert time.monotonic() < deadline, f"{command[0]} is never ready"
            time.sleep(0.02)
        yield process
    finally:
        # Asked to end, it ends its own processes, too.
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
