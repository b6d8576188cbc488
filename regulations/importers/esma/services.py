"""How the crypto-asset services of a firm are read: by their phrases, with their letters as second witnesses.

A letter alone says nothing that we would publish: in the files of 2026 "e. placing of crypto-assets" and "exchange of
crypto-assets", of which others read the first letter as e, stand beside each other.
"""

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import pairwise

from regulations.importers.cell_damage import sound
from regulations.importers.cell_rules import folded, spelled
from regulations.importers.esma import tables
from regulations.importers.esma.tables import Service
from regulations.importers.readings import Cell, Reading, Reason, Rule, normalised, quarantined

SERVICES = "services/1"

# What parts labels: `|` and what stands for it, such as a capital i between spaces.
SEPARATOR = re.compile(r"[|;,\r\n]|(?<=\s)I(?=\s)")
LABEL = re.compile(r"(?:(?P<letter>[a-z])(?:\s*[.):]\s*|\s+|$))?(?P<words>.*)")


@dataclass(frozen=True)
class Label:
    """One label of a cell: the service that it means, if it is one only, and what is wrong with it."""

    service: Service | None = None
    reason: Reason | None = None
    explanation: str = ""


def services() -> Rule:
    """The letters of the services, each once and in the cell's order; an empty cell says nothing.

    A phrase that is cut off is read if it begins one phrase only and its letter agrees. A letter that contradicts its
    phrase puts the whole cell aside, with the cell as the phrases have it as proposal, if all of them are clear.
    """

    def read(cell: Cell) -> Reading:
        labels = [_read_label(label) for label in _labels(cell.raw)]
        if not labels:
            return spelled(cell, "")
        found = list(dict.fromkeys(label.service for label in labels if label.service))
        wrong = [label for label in labels if label.reason]
        if not wrong:
            return normalised(tuple(service.letter for service in found), SERVICES)
        clear = all(label.service for label in labels)
        proposal = " | ".join(f"{service.letter}. {service.phrase}" for service in found) if clear else ""
        return quarantined(
            wrong[0].reason or Reason.MALFORMED, " ".join(label.explanation for label in wrong), proposal
        )

    return sound(read)


def _labels(raw: str) -> list[str]:
    """The labels of the cell in small letters, those that run into each other taken apart, empty ones left out."""
    parts = [folded(part).casefold() for part in SEPARATOR.split(raw)]
    labels = [label.strip(" .") for part in parts for label in _taken_apart(part)]
    return [label for label in labels if label]


def _taken_apart(label: str) -> list[str]:
    starts = [match.start() for match in _beginnings().finditer(label)]
    cuts = sorted({0, *starts, len(label)})
    return [label[start:end] for start, end in pairwise(cuts)]


@cache
def _beginnings() -> re.Pattern[str]:
    """Where a service begins within a label, with its letter if it has one."""
    begins = "|".join(sorted({re.escape(service.begins) for service in tables.services()}))
    return re.compile(rf"(?:\b[a-z](?:\s*[.):]\s*|\s+))?\b(?:{begins})")


@lru_cache(10_000)
def _read_label(label: str) -> Label:
    form = LABEL.fullmatch(label)
    letter, words = (form["letter"] or "", form["words"]) if form else ("", label)
    full = [service for service in tables.services() if _key(service.phrase) == _key(words)]
    if full:
        return _full(full[0], letter, label)
    begun = [service for service in tables.services() if _key(service.phrase).startswith(_key(words))]
    if begun:
        return _cut_off(begun, letter, label)
    longer = [service for service in tables.services() if _key(words).startswith(_key(service.phrase))]
    if longer:
        service = longer[-1] if letter in ("", longer[-1].letter) else None
        return Label(service, Reason.MALFORMED, f"“{label}” says more than the name of a service.")
    return Label(None, Reason.UNKNOWN, f"“{label[:200]}” is no service of Art. 3(1)(16) MiCA.")


def _full(service: Service, letter: str, label: str) -> Label:
    if letter in ("", service.letter):
        return Label(service)
    return Label(service, Reason.CONTRADICTORY, f"“{label}” has the letter of another service.")


def _cut_off(begun: list[Service], letter: str, label: str) -> Label:
    agreeing = [service for service in begun if service.letter == letter]
    if len(begun) == 1 and agreeing:
        return Label(begun[0])
    if letter and not agreeing:
        return Label(None, Reason.CONTRADICTORY, f"“{label}” is cut off and has the letter of another service.")
    meant = agreeing or (begun if len(begun) == 1 else [])
    return Label(meant[0] if meant else None, Reason.MALFORMED, f"“{label}” is cut off.")


def _key(phrase: str) -> str:
    """The phrase's letters and digits, for hyphens and dots come and go."""
    return "".join(character for character in phrase.casefold() if character.isalnum())
