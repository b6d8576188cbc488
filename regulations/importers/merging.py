"""What the register says against what we say: taken over, left alone, or a disagreement for a person to settle."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from regulations.importers.records import Said, as_json
from regulations.models import Authorisation

Kind = Authorisation.Kind
# What a register calls listed may be any of these; it does not say which.
MORE_EXACT = {Kind.LISTED.value: {Kind.LICENCE.value, Kind.REGISTRATION.value}}


@dataclass
class Merged:
    """taken: field by field, what we said and what we say after. disagreed: what we say, and what the register says."""

    taken: dict[str, tuple[Said, Said]] = field(default_factory=dict)
    disagreed: dict[str, tuple[Said, Said]] = field(default_factory=dict)


def merge(
    ours: Mapping[str, Said],
    theirs: Mapping[str, Said],
    before: Mapping[str, object],
    fold: Callable[[str], str],
) -> Merged:
    """Bring together what we say and what the register says, field by field.

    before: what the register said last, as JSON; a field that it did not tell is not among them.
    fold: a name as names are compared.
    A value that the register has not changed is left as it is, whoever changed ours; one that it has changed is taken
    over if ours is still what it said before, or nothing; else both are kept for a person to decide.
    """
    merged = Merged()
    for name, said in theirs.items():
        have = ours.get(name)
        if _same(name, have, said, fold) or (name in before and before[name] == as_json(said)):
            continue
        # An editor who emptied a field meant it; a field that nobody has filled yet is filled.
        untouched = before[name] == as_json(have) if name in before else not have
        (merged.taken if untouched else merged.disagreed)[name] = (have, said)
    return merged


def _same(name: str, have: Said, said: Said, fold: Callable[[str], str]) -> bool:
    """Whether two values say the same, though not in the same characters."""
    if have == said or (not have and not said):
        return True
    if name == "kind":
        return have in MORE_EXACT.get(str(said), ())
    if name in ("name", "legal_name") and isinstance(have, str) and isinstance(said, str):
        return bool(fold(have)) and fold(have) == fold(said)
    if name == "website" and isinstance(have, str) and isinstance(said, str):
        return _host(have) == _host(said)
    return False


def _host(address: str) -> str:
    return (urlsplit(address).hostname or "").removeprefix("www.")
