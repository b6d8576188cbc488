"""The tables beside this module, as the rules ask them."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from regulations.importers.cell_rules import folded
from regulations.importers.yaml_files import Entry, read_text

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Service:
    """A crypto-asset service of Art. 3(1)(16) MiCA. `begins` is how its phrase begins, as one or two others may."""

    letter: str
    phrase: str
    begins: str
    topic: str


@cache
def _table(name: str) -> Entry:
    return read_text((FOLDER / f"{name}.yaml").read_bytes())


@cache
def states() -> Mapping[str, str]:
    """The states of the EEA by their codes and what stands for them, in small letters."""
    table = _table("countries")
    codes = {code: code for code in table["states"]} | table["aliases"]
    return {written.casefold(): code for written, code in codes.items()}


@cache
def countries() -> Mapping[str, str]:
    """All countries by their codes and what stands for them, in small letters."""
    table = _table("countries")
    others = {code: code for code in table["others"].split()} | table["other_aliases"]
    return {**states(), **{written.casefold(): code for written, code in others.items()}}


@cache
def country_names() -> Mapping[str, str]:
    """The states of the EEA by their names, in small letters."""
    return {name.casefold(): code for code, names in _table("countries")["states"].items() for name in names}


@cache
def authorities() -> Mapping[tuple[str, str], str]:
    """Our regulators by home state and ESMA's name, as `authority_key` writes it."""
    return {
        (row["state"], authority_key(name)): row["regulator"]
        for row in _table("authorities")["authorities"]
        for name in row["names"]
    }


def authority_key(name: str) -> str:
    """The name without what stands in brackets at its end, in small letters, its spaces folded."""
    bare = folded(name)
    return (bare.rpartition("(")[0] if bare.endswith(")") else bare).strip().casefold()


@cache
def services() -> tuple[Service, ...]:
    """The ten services, in the order of their letters."""
    return tuple(Service(**row) for row in _table("services")["services"])


@cache
def placeholders(*kinds: str) -> frozenset[str]:
    """The words for nothing, in small letters: those that mean nothing anywhere, and those of the kinds."""
    table = _table("placeholders")
    return frozenset(word for kind in ("anywhere", *kinds) for word in table[kind])


@cache
def institutions() -> Mapping[str, str]:
    """What an issuer of e-money tokens is, as we write it, by the same in small letters."""
    return {written.casefold(): written for written in _table("words")["institutions"]}


@cache
def answers() -> Mapping[str, bool]:
    """Whether a word in small letters is a yes or a no."""
    return {word: word == "yes" for word in _table("words")["answers"]}
