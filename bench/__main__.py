"""`python -m bench`: make the worlds, start who is compared, take turns, tell."""

import argparse
import os
import secrets
import signal
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bench.candidates import Candidate, Server
    from bench.measure import Results

SIZES = "10000,100000,1000000"
DEEPEST = 100_000
EXPORTED = "/api/v1/policies/?format=ndjson"
# We have just made the world ourselves, which is most of one core.
BUSY_PER_CORE = 0.75


def main() -> None:
    # A signal has to reach the ends of our blocks, which stop the servers.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    asked = arguments()
    use_own_home()
    from bench import candidates, relevance, report, targets, worlds

    say("Asking the search what we know the answers to ...")
    with worlds.connected_to(worlds.ensure_knowledge()):
        judgements = relevance.judged(relevance.asked_here)
    chosen = candidates.named(asked.candidates.split(","))
    found: dict[int, Any] = {}
    told: dict[str, Any] = {"search": relevance.measures(judgements), "memory_mib": {}, "export": {}, "no_answer": {}}
    for size in map(int, asked.sizes.split(",")):
        name = worlds.ensure_world(size, say)
        with worlds.connected_to(name):
            found[size] = measured(worlds.url(name), size, candidates.fitting(chosen, size), asked, told)
        print(f"\n## {size:,} policies\n\n{report.table(found[size])}\n", flush=True)
        # What is measured is not lost when the next, larger world takes too long.
        written = report.write(found, told, asked.result)
    print(f"## As the world grows\n\n{report.growth(found)}\n" if len(found) > 1 else "")
    verdicts = targets.verdicts(found, told["export"])
    print(f"## What was wanted\n\n{report.judged(verdicts)}\n")
    print(relevance.told(judgements))
    print(f"\nMemory in MiB: {told['memory_mib']}\nExport: {told['export']}")
    say(f"Written to {written.relative_to(worlds.PROJECT)}.")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--sizes", default=SIZES, help="How many policies, with commas.")
    parser.add_argument("--candidates", default="", help="Parts of the names of who is asked, with commas; else all.")
    parser.add_argument("--questions", default="", help="A part of the names of what is asked; else all.")
    parser.add_argument("--compared", action="store_true", help="Ask only what others are asked, too.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2.0, help="How long each is asked in a round.")
    parser.add_argument("--result", default="latest", help="The name of the file in bench/results/.")
    return parser.parse_args()


def measured(
    database_url: str, size: int, chosen: Sequence["Candidate"], asked: argparse.Namespace, told: dict[str, Any]
) -> "Results":
    """The figures in one world, to which `connection` speaks; memory and export go into `told`."""
    from bench import candidates, exports, measure, processes, worlds
    from bench.load import generator
    from bench.questions import questions

    depth = min(size * 3 // 4, DEEPEST) // 200 * 200
    ours = [each for each in candidates.CANDIDATES if each.name == candidates.OURS]
    with candidates.started(ours, database_url, lambda _: []) as running:
        server = running[candidates.OURS]
        wanted = [
            each
            for each in questions(server.get, depth, etag_of(server), middle_of_history())
            if asked.questions in each.name and (each.of or not asked.compared)
        ]

    def addresses(name: str) -> list[str]:
        return [each.address for each in wanted if each.is_for(name)]

    say("Starting the servers ...")
    with candidates.started(chosen, database_url, addresses) as running:
        silent = measure.check_equal(wanted, running)
        told["no_answer"][size] = sorted(silent)
        if os.getloadavg()[0] > BUSY_PER_CORE * (os.cpu_count() or 1):
            say("This machine has other work to do: read the processor time, not the requests per second.")
        say(f"All answer alike. Measuring with {generator()} ...")
        results = measure.measure(wanted, running, silent, asked.rounds, asked.seconds, say)
        used = {name: processes.memory_bytes(server.pid) for name, server in running.items()}
        used["database"] = processes.memory_bytes(worlds.server_pid())
        told["memory_mib"][size] = {name: round(each / 2**20) for name, each in used.items()}
    if not asked.questions:
        # By a server of its own, which has not kept anything yet.
        with candidates.started(ours, database_url, lambda _: []) as running:
            told["export"][size] = asdict(exports.export(running[candidates.OURS], EXPORTED))
    return results


def etag_of(server: "Server") -> str:
    """The validator of the newest page."""
    with server.open("/api/v1/policies/") as answer:
        return str(answer.headers["ETag"])


def middle_of_history() -> str:
    """The moment of a change with as many before it as after it."""
    from regulations.models.revisions import Change

    moments = Change.objects.order_by("moment").values_list("moment", flat=True)
    return str(moments[len(moments) // 2].isoformat()).replace("+00:00", "Z")


def use_own_home() -> None:
    """Set Django up as `make run` does, with nothing of ours set, in a folder beside the one that people use."""
    for name in list(os.environ):
        if name.startswith("KBASE_") or name in {"DATABASE_URL", "PORT", "DJANGO_SETTINGS_MODULE"}:
            del os.environ[name]
    os.environ["KBASE_HOME"] = str(Path(__file__).resolve().parent.parent / ".kbase" / "bench")
    os.environ["DJANGO_SETTINGS_MODULE"] = "kbase.settings"
    # Cursors that one server gave are taken by the others.
    os.environ["KBASE_SECRET_KEY"] = secrets.token_urlsafe(64)
    # Requests are counted, but one client may ask as often as it can.
    os.environ["KBASE_RATE_LIMIT"] = str(10**9)
    # We ask ourselves which statements are run, and so keep nothing.
    os.environ["KBASE_CACHE_KIB"] = "0"
    import django

    django.setup()


def say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("Stopped.")
