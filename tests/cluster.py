"""A primary and its streaming replicas, on loopback, from the programs of the embedded PostgreSQL."""

import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

import psutil
import psycopg

from kbase.embedded import Server, binaries
from tests.running import free_port

OPTIONS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "off",
    "shared_buffers": "32MB",
    "max_connections": "50",
    "wal_retrieve_retry_interval": "100ms",
    "wal_receiver_status_interval": "1s",
    # The log tells who was asked what.
    "log_statement": "all",
}


class Node:
    """One server. Its log is in `log`."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.log = folder.with_suffix(".log")
        self.process = None
        # As root, the programs run under the account that the embedded server would have.
        self.account = Server(folder, durable=False)

    @property
    def url(self):
        return f"postgresql://kbase@127.0.0.1:{self.port}/kbase"

    def run(self, program, *arguments):
        done = self.account._run(program, *arguments)
        assert done.returncode == 0, done.stderr

    def start(self):
        options = [f"-c{name}={value}" for name, value in OPTIONS.items()]
        command = [str(binaries() / "postgres"), "-D", str(self.folder), f"-p{self.port}", *options]
        with self.log.open("a") as output:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, **self.account._account_options()
            )
        while self.account._run("pg_isready", "-h127.0.0.1", f"-p{self.port}").returncode:
            assert self.process.poll() is None, self.log.read_text()
            time.sleep(0.05)

    def kill(self):
        """End it at once, as a machine ends that loses its power."""
        family = [self.process, *psutil.Process(self.process.pid).children(recursive=True)]
        for process in family:
            process.kill()
        self.process.wait()
        psutil.wait_procs(family[1:])

    def ask(self, sql, *params, database="kbase"):
        with psycopg.connect(
            host="127.0.0.1", port=self.port, user="kbase", dbname=database, autocommit=True
        ) as connection:
            cursor = connection.execute(sql, params or None)
            return cursor.fetchall() if cursor.description else None

    def times_asked(self, text="FROM data_version"):
        """How often a statement with this text was run; each question of the API asks once for the versions."""
        return self.log.read_text(errors="replace").count(text)


@contextmanager
def cluster(folder, replicas=2):
    """Yield a primary with an empty database `kbase`, and its replicas, all running."""
    primary = Node(folder / "primary")
    nodes = [primary]
    try:
        prepare(primary)
        primary.run("initdb", *primary.account._initdb_options(), f"--pgdata={primary.folder}", "--auth-host=trust")
        primary.start()
        primary.ask("CREATE DATABASE kbase", database="postgres")
        for number in range(1, replicas + 1):
            replica = Node(folder / f"replica-{number}")
            nodes.append(replica)
            prepare(replica)
            replica.run(
                "pg_basebackup",
                "-h127.0.0.1",
                f"-p{primary.port}",
                "-Ukbase",
                f"-D{replica.folder}",
                "-R",
                "-cfast",
                "--no-sync",
            )
            replica.start()
        yield primary, nodes[1:]
    finally:
        for node in nodes:
            if node.process and node.process.poll() is None:
                node.kill()


def prepare(node):
    node.folder.mkdir(mode=0o700)
    node.account._give_to_account(node.folder)
    node.log.touch()
