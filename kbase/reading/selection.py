"""Which fields of an answer are asked for: the grammar of `fields`, `omit` and `expand`.

Each is a comma-separated list of paths; a path goes from a field to a field of its value by dots.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from kbase.reading.problems import BadRequest, Fault

# A path longer than this would ask for records of records of records of records.
LONGEST_PATH = 4

Paths = frozenset[tuple[str, ...]]


@dataclass(frozen=True)
class Selection:
    """The fields to show (all if None), those to leave out, and the relations to show whole."""

    fields: Paths | None = None
    omit: Paths = field(default_factory=frozenset)
    expand: Paths = field(default_factory=frozenset)

    def below(self, name: str) -> "Selection":
        """What the selection says of the value of the field `name`."""
        fields = None if self.fields is None else _below(self.fields, name)
        # A path that ends here asks for the whole value.
        whole = fields is None or () in fields
        return Selection(None if whole else fields, _below(self.omit, name), _below(self.expand, name))

    def within(self, names: Collection[str]) -> "Selection":
        """The selection without the paths that begin with other names."""
        fields = None if self.fields is None else frozenset(path for path in self.fields if path[0] in names)
        return Selection(fields, frozenset(path for path in self.omit if path[0] in names))

    def keeps(self, name: str) -> bool:
        """Whether the field `name` is shown."""
        asked = self.fields is None or any(path[0] == name for path in self.fields if path)
        return asked and (name,) not in self.omit

    def expands(self, name: str) -> bool:
        """Whether the relation `name` is shown whole."""
        return any(path[:1] == (name,) for path in self.expand)

    def paths(self) -> Iterable[tuple[str, tuple[str, ...]]]:
        """Each path from this level on with the parameter that it came by, so that unknown names can be told."""
        for parameter in ("fields", "omit", "expand"):
            for path in sorted(getattr(self, parameter) or ()):
                if path:
                    yield parameter, path


EVERYTHING = Selection()


def parse(fields: str | None, omit: str | None, expand: str | None) -> Selection:
    """Read the three parameters; None where one was not sent.

    Raises BadRequest for an empty or overlong path, one named twice, and a path that is both asked for and left out.
    """
    chosen = Selection(
        None if fields is None else _paths("fields", fields),
        frozenset() if omit is None else _paths("omit", omit),
        frozenset() if expand is None else _paths("expand", expand),
    )
    if faults := list(_contradictions(chosen.fields or (), chosen.omit)):
        raise BadRequest(faults)
    return chosen


def _contradictions(wanted: Iterable[tuple[str, ...]], omitted: Paths) -> Iterable[Fault]:
    """What is asked for although it, or what it is a part of, is to be left out."""
    for path in sorted(wanted):
        if any(path[:length] in omitted for length in range(1, len(path) + 1)):
            name = ".".join(path)
            yield Fault("omit", "contradictory", f"“{name}” is in fields, and omit leaves it out; choose one.")


def _below(paths: Paths, name: str) -> Paths:
    return frozenset(path[1:] for path in paths if path[:1] == (name,))


def _paths(parameter: str, text: str) -> Paths:
    paths = [tuple(item.split(".")) for item in text.split(",")]
    for path in paths:
        _check(parameter, path)
    if len(set(paths)) < len(paths):
        raise BadRequest([Fault(parameter, "repeated", f"{parameter} names a field twice; name each once.")])
    return frozenset(paths)


def _check(parameter: str, path: tuple[str, ...]) -> None:
    if not all(path):
        detail = f"{parameter} has an empty name; separate names by single commas and levels by single dots."
        raise BadRequest([Fault(parameter, "malformed", detail)])
    if len(path) > LONGEST_PATH:
        detail = f"“{'.'.join(path)[:100]}” goes too deep; a path has {LONGEST_PATH} names at most."
        raise BadRequest([Fault(parameter, "out_of_range", detail)])
