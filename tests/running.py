"""A kbase in a process of its own, started as `make run` starts it."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class RunningServer:
    """A kbase that serves in a process of its own; `home` holds its files."""

    url: str
    home: Path
    process: subprocess.Popen

    def get(self, path, **headers):
        return urllib.request.urlopen(urllib.request.Request(self.url + path, headers=headers))


def free_port():
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return trial.getsockname()[1]


def environment(**variables):
    """Return an environment for a kbase of its own, free of the settings that this one has."""
    ours = {
        "DATABASE_URL",
        "PORT",
        "MAKEFLAGS",
        "MAKELEVEL",
        "MFLAGS",
        "PYTEST_CURRENT_TEST",
        "DJANGO_ALLOW_ASYNC_UNSAFE",
    }
    kept = {name: value for name, value in os.environ.items() if name not in ours and not name.startswith("KBASE_")}
    # The tests ask from one address, and more in a minute than a reader would.
    return kept | {"KBASE_RATE_LIMIT": "1000000000"} | variables


def start_server(home, port, **variables):
    """Start `manage.py serve` and wait until it answers.

    Raises AssertionError with its output if it ends, or answers that it is ill, instead.
    """
    log = home / "serve.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "serve"],
            cwd=PROJECT,
            env=environment(KBASE_HOME=str(home), PORT=str(port), **variables),
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        while not answers(port):
            assert process.poll() is None, log.read_text()
            time.sleep(0.05)
    except urllib.error.HTTPError as error:
        process.terminate()
        process.wait()
        raise AssertionError(log.read_text()) from error
    return RunningServer(f"http://localhost:{port}", home, process)


def answers(port):
    """Say whether somebody serves there. Raises HTTPError if it answers, but not well."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz"):
            return True
    except urllib.error.HTTPError:
        raise
    except OSError:
        return False
