"""Where the tests have their files, and the folder of a kbase that has served before, made once and copied for many."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import psutil

from tests.running import PROJECT, environment, free_port, start_server

MEMORY = Path("/dev/shm")
# The tests' databases and servers take a third of this.
ROOM = 6 * 2**30


def memory() -> Path | None:
    """The folder that is kept in memory, if it has room for what tests write and nobody has chosen TMPDIR.

    A database is hundreds of small files, copied for many a test; on a disk that takes ten times as long.
    """
    if "TMPDIR" in os.environ or not (MEMORY.is_dir() and os.access(MEMORY, os.W_OK)):
        return None
    return MEMORY if min(shutil.disk_usage(MEMORY).free, psutil.virtual_memory().available) > ROOM else None


def settle(home: Path) -> None:
    """Let kbase make everything in this place: its database, migrations, the knowledge; it appears when all is done."""
    made = home.with_name(f"{home.name}-made")
    made.mkdir()
    made.chmod(0o711)
    running = start_server(made, free_port())
    running.process.terminate()
    assert running.process.wait() == 0
    made.rename(home)


COLLECT = "import django; django.setup(); from kbase import static_files; static_files.collect_if_changed()"


def collect(home: Path) -> None:
    """Put the static files into the folder, as kbase does when it first serves from there."""
    home.mkdir()
    environ = environment(KBASE_HOME=str(home), DJANGO_SETTINGS_MODULE="kbase.settings")
    subprocess.run([sys.executable, "-c", COLLECT], cwd=PROJECT, env=environ, check=True)


def copy_home(source: Path, target: Path) -> None:
    """Copy the folder with the owners of its files, of which the database's may be an account of their own."""
    shutil.copytree(source, target, copy_function=_copy, dirs_exist_ok=True)
    for folder in (path for path in source.rglob("*") if path.is_dir()):
        _own_alike(folder, target / folder.relative_to(source))


def _copy(source: str, target: str) -> None:
    shutil.copy2(source, target)
    _own_alike(Path(source), Path(target))


def _own_alike(source: Path, target: Path) -> None:
    status = source.stat()
    os.chown(target, status.st_uid, status.st_gid)
