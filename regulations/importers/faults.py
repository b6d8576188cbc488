"""What stops an import: each fault with its file, its record and the reason."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches


@dataclass(frozen=True, order=True)
class Place:
    """Where something stands in the files; without a line or a record for what concerns a whole file."""

    file: str
    line: int
    record: str = ""

    def __str__(self) -> str:
        line = f":{self.line}" if self.line else ""
        return f"{self.file}{line}: {self.record}".removesuffix(": ")


@dataclass(frozen=True, order=True)
class Fault:
    """One thing that is wrong, said so that the reader of the file can mend it."""

    place: Place
    reason: str

    def __str__(self) -> str:
        return f"{self.place}: {self.reason}"


class RefusedError(Exception):
    """The import is refused whole; nothing was written. `faults` has all that were found, in the order of the files."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = sorted(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))


def nearest(word: str, words: Iterable[str]) -> str:
    """A question that names the most similar word, to be put after a reason; empty where none is similar."""
    similar = get_close_matches(word, list(words), n=1, cutoff=0.75)
    return f" Is “{similar[0]}” meant?" if similar else ""
