"""`python -m bench.mixed`: reading at most of what a machine can, while editors write: what it does to readers.

First what can be kept up with is found, with the edits going on; then requests are sent at a share of that rate, whether
or not earlier ones are answered yet, while edits are made as the admin makes them.
"""

import argparse
import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bench.candidates import Server

QUIET_SECONDS = 15
TRIAL_SECONDS = 10
TRIALS = 6
SOON_MS = 100
LOOKS = 40
WATCHED = ("policy", "milestone", "policy_topics", "searchdocument", "revision", "company", "authorisation")

Say = Callable[[str], None]


@dataclass
class Written:
    """How long each edit took, in milliseconds, and what went wrong."""

    times: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


def main() -> None:
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    asked = arguments()
    from bench.__main__ import say, use_own_home

    use_own_home()
    from bench import candidates, report, worlds

    # Others count on the world as it was made, so a copy is edited.
    copy = worlds.copied(worlds.ensure_world(asked.size, say))
    try:
        with worlds.connected_to(copy):
            ours = [each for each in candidates.CANDIDATES if each.name == candidates.OURS]
            with candidates.started(ours, worlds.url(copy), lambda _: []) as running:
                told = run(running[candidates.OURS], copy, asked, say)
    finally:
        worlds.drop(copy)
    path = report.RESULTS / f"{asked.result}.json"
    path.write_text(json.dumps({"machine": report.machine(), **told}, indent=2) + "\n")
    print(json.dumps({name: value for name, value in told.items() if name != "looks"}, indent=2))
    say(f"Written to {path.relative_to(worlds.PROJECT)}.")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.mixed", description=__doc__)
    parser.add_argument("--size", type=int, default=1_000_000, help="How many policies.")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--share", type=float, default=0.7, help="Of what is answered at most.")
    parser.add_argument("--writes", type=float, default=0.05, help="The share of edits among all requests.")
    parser.add_argument("--result", default="mixed", help="The name of the file in bench/results/.")
    return parser.parse_args()


def run(server: "Server", database: str, asked: argparse.Namespace, say: Say) -> dict[str, Any]:
    """All of it; `connection` speaks with the database."""
    from bench.pacing import percentile, read
    from bench.reading import addresses

    wanted, seconds = addresses(), asked.minutes * 60
    read(server.port, wanted, None, TRIAL_SECONDS)
    capacity = most(server, database, wanted, asked.writes)
    reads, edits = (capacity * asked.share * part for part in (1 - asked.writes, asked.writes))
    say(f"{capacity:,.0f} a second at most. Reading {reads:,.0f} a second, quietly ...")
    quiet = read(server.port, wanted, reads, QUIET_SECONDS)
    say(f"Now with {edits:,.1f} edits a second, for {asked.minutes:g} minutes ...")
    with watched(server, seconds) as looks, edited(database, edits, seconds) as written:
        mixed = read(server.port, wanted, reads, seconds)
    usual = percentile(quiet.times, 50)
    return {
        "policies": asked.size,
        "minutes": asked.minutes,
        "capacity_per_second": round(capacity),
        "reads": len(mixed.times),
        "reads_per_second": round(len(mixed.times) / seconds, 1),
        "edits": len(written.times),
        "edits_per_second": round(len(written.times) / seconds, 1),
        "quiet_ms": percentiles(quiet.times),
        "mixed_ms": percentiles(mixed.times),
        "edit_ms": percentiles(written.times),
        "p99_mixed_by_p50_quiet": round(percentile(mixed.times, 99) / usual, 1),
        "by_kind_ms": {
            kind: {"quiet": percentiles(quiet.by_kind[kind]), "mixed": percentiles(times)}
            for kind, times in sorted(mixed.by_kind.items())
        },
        "errors": [*quiet.errors, *mixed.errors, *written.errors],
        "looks": looks,
    }


def percentiles(times: list[float]) -> dict[str, float]:
    """In milliseconds."""
    from bench.pacing import percentile

    return {f"p{each:g}": percentile(times, each) for each in (50, 99, 99.9)} if times else {}


def most(server: "Server", database: str, wanted: list[tuple[str, str]], writes: float) -> float:
    """How many requests and edits a second are kept up with at most, edits making up a share `writes` of them."""
    from bench.pacing import read

    low, high = 0.0, len(read(server.port, wanted, None, TRIAL_SECONDS).times) / TRIAL_SECONDS
    for _ in range(TRIALS):
        middle = (low + high) / 2
        low, high = (middle, high) if keeps_up(server, database, wanted, middle, writes) else (low, middle)
    return low


def keeps_up(server: "Server", database: str, wanted: list[tuple[str, str]], rate: float, writes: float) -> bool:
    """Whether at this rate nearly all requests are answered soon, and nearly all edits made when they are due.

    As many as are answered without a pause say less: edits wait meanwhile, so that there are fewer than belong to them.
    """
    from bench.pacing import percentile, read

    with edited(database, rate * writes, TRIAL_SECONDS) as written:
        answers = read(server.port, wanted, rate * (1 - writes), TRIAL_SECONDS)
    made = len(written.times) / (rate * writes * TRIAL_SECONDS)
    return not answers.errors and percentile(answers.times, 95) <= SOON_MS and made >= 0.95


@contextmanager
def edited(database: str, per_second: float, seconds: float) -> Iterator[Written]:
    """Have edits made meanwhile by a process of their own; what came of them is known after the block."""
    command = [sys.executable, "-m", "bench.editing", database, str(per_second), str(seconds)]
    written = Written()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            process.stdout.readline()
            yield written
            told = json.loads(process.stdout.read())
            written.times, written.errors = told["times"], told["errors"]
        finally:
            process.terminate()


@contextmanager
def watched(server: "Server", seconds: float) -> Iterator[list[dict[str, Any]]]:
    """Look at server and database now and then, until the end of the block."""
    looks: list[dict[str, Any]] = []
    done = threading.Event()

    def watch() -> None:
        while True:
            looks.append(_look(server))
            if done.wait(max(seconds / LOOKS, 1)):
                return

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield looks
    finally:
        done.set()
        watcher.join()


def _look(server: "Server") -> dict[str, Any]:
    """Memory, and what autovacuum does and leaves: dead rows and the share of pages that are all visible, by table."""
    from django.db import connection

    from bench import processes, worlds

    names = [f"regulations_{name}" for name in WATCHED]
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'autovacuum worker'")
        (running,) = cursor.fetchone()
        cursor.execute(
            "SELECT stat.relname, n_dead_tup, autovacuum_count, autoanalyze_count,"
            " round(100.0 * relallvisible / greatest(relpages, 1), 1)::float"
            " FROM pg_stat_user_tables AS stat JOIN pg_class ON pg_class.oid = stat.relid"
            " WHERE stat.schemaname = 'public' AND stat.relname = ANY (%s) ORDER BY 1",
            [names],
        )
        tables = cursor.fetchall()
    connection.close()
    heads = ("dead_rows", "autovacuums", "autoanalyses", "visible_percent")
    return {
        "server_mib": round(processes.memory_bytes(server.pid) / 2**20),
        "database_mib": round(processes.memory_bytes(worlds.server_pid()) / 2**20),
        "autovacuum_workers": running,
        "tables": {name: dict(zip(heads, rest, strict=True)) for name, *rest in tables},
    }


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("Stopped.")
