"""`python -m bench`: make the world, start both servers, take turns, tell."""

import os
import signal
import sys
from pathlib import Path

POLICIES = 20_000
DEPTH = 15_000
# We have just made the world ourselves, which is most of one core.
BUSY_PER_CORE = 0.75


def main() -> None:
    # A signal has to reach the ends of our blocks, which stop the servers.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    use_own_home()
    from bench import measure, processes, relevance, report, servers, worlds
    from bench.load import generator
    from bench.questions import questions

    say("Asking the search what we know the answers to ...")
    with worlds.connected_to(worlds.ensure_knowledge()):
        judgements = relevance.judged(relevance.asked_here)
    database_url = worlds.url(worlds.ensure_world(POLICIES, say))
    say("Starting both servers ...")
    with servers.both_servers(database_url) as running:
        asked = questions(running["ours"].get, DEPTH)
        measure.check_equal(asked, running)
        if os.getloadavg()[0] > BUSY_PER_CORE * (os.cpu_count() or 1):
            say("This machine has other work to do: read the processor time, not the requests per second.")
        busy = round(os.getloadavg()[0], 1)
        say(f"Both answer alike. Measuring with {generator()} (a minute or two) ...")
        results = measure.measure(asked, running, worlds.server_pid(), say)
        memory = {name: processes.memory_bytes(server.pid) for name, server in running.items()}
        memory["database"] = processes.memory_bytes(worlds.server_pid())
    print(f"\n{report.table(results)}\n")
    print(f"{relevance.told(judgements)}\n")
    print("Memory in MiB: " + ", ".join(f"{name} {used / 2**20:,.0f}" for name, used in memory.items()))
    written = report.write(results, relevance.measures(judgements), memory, POLICIES, busy)
    say(f"Written to {written.relative_to(servers.PROJECT)}.")


def use_own_home() -> None:
    """Set Django up as `make run` does, with nothing of ours set, in a folder beside the one that people use."""
    for name in list(os.environ):
        if name.startswith("KBASE_") or name in {"DATABASE_URL", "PORT", "DJANGO_SETTINGS_MODULE"}:
            del os.environ[name]
    os.environ["KBASE_HOME"] = str(Path(__file__).resolve().parent.parent / ".kbase" / "bench")
    os.environ["DJANGO_SETTINGS_MODULE"] = "kbase.settings"
    import django

    django.setup()


def say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("Stopped.")
