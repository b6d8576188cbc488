import fcntl
import os
import signal
import socket
import sys
from contextlib import contextmanager

from django.conf import settings
from django.core.management import call_command, get_commands
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, connection, connections

from kbase import embedded, static_files

# A connection is served by one thread from its first byte to its last, so this bounds what waits, not what runs.
CONNECTIONS_PER_WORKER = 256
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Command(BaseCommand):
    help = "Make everything ready and serve: database, migrations, knowledge, static files, then the production server."
    # They run after the cheap refusals; a project that cannot answer must not start.
    requires_system_checks = []

    def handle(self, **options):
        with only_server(), stopping_quietly():
            refuse_taken_port()
            self.prepare()
            self.announce()
            serve()
        self.say("Stopped.")

    def prepare(self):
        self.check()
        self.say("Starting the database ...")
        try:
            connection.ensure_connection()
        except OperationalError as error:
            raise CommandError(
                f"The database does not answer: {error}Check DATABASE_URL, or start that server."
            ) from error
        call_command("migrate", interactive=False, verbosity=1 if is_behind() else 0)
        self.load_knowledge()
        if static_files.collect_if_changed():
            self.say("Collected the static files.")
        # Each worker opens its own.
        connections.close_all()

    def load_knowledge(self):
        if "load_knowledge" not in get_commands():
            self.say("There is no command load_knowledge yet: serving what the database holds.")
        elif is_empty():
            self.say("Loading the knowledge (some seconds, only once) ...")
            call_command("load_knowledge")

    def announce(self):
        root = address()
        self.say(
            f"\nkbase answers at\n  API    {root}/api/v1/\n  Docs   {root}/api/docs/\n  Admin  {root}/admin/"
            "   (make editor creates the first editor)\nCtrl-C stops it.\n"
        )
        if not (settings.HTTPS or settings.IS_LOCAL):
            self.stderr.write("Passwords travel in the clear: put a TLS proxy in front and set KBASE_HTTPS=on.")

    def say(self, text):
        self.stdout.write(text)
        self.stdout.flush()


def address():
    host = settings.HOST if settings.HOST not in {"127.0.0.1", "0.0.0.0", "::", "::1"} else "localhost"
    return f"http://{host}:{settings.PORT}"


@contextmanager
def only_server():
    """Refuse to serve twice from one home: the second would wait for the first one's database in vain."""
    settings.KBASE_HOME.mkdir(mode=0o711, parents=True, exist_ok=True)
    with (settings.KBASE_HOME / "serving").open("a+") as mark:
        try:
            fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            mark.seek(0)
            raise CommandError(
                f"kbase already runs from this folder: {mark.read().strip() or 'it is just starting'}. Use it, or stop it there "
                "with Ctrl-C. For a second one, set KBASE_HOME and PORT to others."
            ) from error
        mark.truncate(0)
        mark.write(f"{address()}, process {os.getpid()}")
        mark.flush()
        yield


@contextmanager
def stopping_quietly():
    """Take Ctrl-C and SIGTERM for the wish to stop, also while still starting; that is a success."""
    for number in STOP_SIGNALS:
        # A shell starts background jobs deaf to Ctrl-C, so that SIGINT needs its handler said, too.
        signal.signal(number, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:
        pass
    finally:
        # Who asks twice (make passes on a signal that the terminal has sent already) must not cut the database short.
        for number in STOP_SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        connections.close_all()
        embedded.server_in(settings.EMBEDDED_DATA).release()


def refuse_taken_port():
    family = socket.AF_INET6 if ":" in settings.HOST else socket.AF_INET
    with socket.socket(family) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((settings.HOST, settings.PORT))
        except PermissionError as error:
            raise CommandError(
                f"Port {settings.PORT} is reserved; choose one from 1024, as in `make run PORT=8001`."
            ) from error
        except OSError as error:
            raise CommandError(
                f"Port {settings.PORT} of {settings.HOST} cannot be used ({error.strerror}). "
                f"Stop what uses it, or choose another: `make run PORT={settings.PORT % 65535 + 1}`."
            ) from error


def is_behind():
    """Say whether migrations are waiting."""
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def is_empty():
    from regulations.models import Policy

    return not Policy.objects.exists()


def serve():
    """Run the production server until a signal ends it."""
    from granian import Granian
    from granian.constants import Interfaces
    from granian.log import LogLevels

    sys.stdout.flush()
    Granian(
        "kbase.wsgi:application",
        address=settings.HOST,
        port=settings.PORT,
        interface=Interfaces.WSGI,
        workers=settings.WORKERS,
        # Those who are slow to read a whole list do not keep the others waiting.
        blocking_threads=1 + settings.EXPORTS_AT_ONCE,
        backpressure=CONNECTIONS_PER_WORKER,
        websockets=False,
        respawn_failed_workers=True,
        # A worker that hangs must not keep the database from stopping.
        workers_kill_timeout=20,
        log_access=settings.ACCESS_LOG,
        log_level=LogLevels.warning,
        log_dictconfig={"loggers": {"_granian": {"handlers": [], "propagate": True}}},
    ).serve()
