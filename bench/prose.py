"""Texts that look like those of the field: sentences from templates, words as frequent as real ones, rare ones included."""

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import yaml

WORDS: dict[str, Any] = yaml.safe_load((Path(__file__).resolve().parent / "words.yaml").read_text())
TEXTS = WORDS["texts"]
# So many names are coined; some are in all mouths, most are met a few times in a million texts.
NAMES = 40_000
NAMES_SEED = 7


class Prose:
    """Writes with the luck of `random`."""

    def __init__(self, random: Random) -> None:
        self.luck = random.random
        self.names = coined_names()

    def word(self, words: Sequence[str]) -> str:
        """One of the words, the n-th of them with a frequency that falls like 1/n."""
        return words[int((len(words) + 0.999) ** self.luck()) - 1]

    def any_word(self, words: Sequence[str]) -> str:
        """One of the words, all equally frequent."""
        return words[int(len(words) * self.luck())]

    def title(self, language: str) -> str:
        """What a policy is called."""
        return self._fill(language, "titles", {})

    def headline(self, regulator: str) -> str:
        """What a press article about the regulator is called."""
        return self._fill("en", "headlines", {"regulator": regulator})

    def sentence(self, language: str = "en") -> str:
        return self._fill(language, "sentences", {})

    def summary(self, length: int, language: str = "en") -> str:
        """Whole English sentences of about so many characters; in another language its first sentence."""
        found = [] if language == "en" else [self.sentence(language)]
        missing = length - sum(map(len, found))
        while missing > 0:
            found.append(self.sentence())
            missing -= len(found[-1])
        return " ".join(found)

    def chinese_name(self) -> str:
        """What a company is called in Chinese."""
        return self.any_word(_listed("chinese_names")) + self.word(WORDS["chinese_trades"])

    def _fill(self, language: str, kind: str, given: dict[str, str]) -> str:
        return "".join(
            part if not is_slot else given.get(part) or self._slot(language, part)
            for part, is_slot in self.word(_templates(language, kind))
        )

    def _slot(self, language: str, slot: str) -> str:
        if slot == "name":
            return self.word(self.names)
        if slot == "number":
            return f"{2013 + int(13 * self.luck())}-{int(1 + 2000 * self.luck())}"
        return self.word(TEXTS[language][slot])


@cache
def coined_names() -> list[str]:
    """Different names that nobody bears, the same each time."""
    random = Random(NAMES_SEED)
    beginnings, middles, endings = (_listed(name) for name in ("beginnings", "middles", "endings"))
    parts = [beginnings, middles, ["", *middles], endings]
    found: dict[str, None] = {}
    while len(found) < NAMES:
        found["".join(random.choice(part) for part in parts)] = None
    return list(found)


@cache
def _listed(name: str) -> list[str]:
    words: list[str] = WORDS[name].split()
    return words


@cache
def _templates(language: str, kind: str) -> list[list[tuple[str, bool]]]:
    """Each template as its parts in turn, and whether the part is the name of a slot."""
    return [
        [(part, number % 2 == 1) for number, part in enumerate(re.split(r"{(\w+)}", template)) if part]
        for template in TEXTS[language][kind]
    ]
