"""YAML as a lawyer reads it: every value is text until its field says otherwise, and nothing is said twice.

YAML's own guesses are switched off: `NO` stays Norway, `2025-02` a month, `1.10` a version. What could hide a
mistake is refused: a key given twice, which YAML readers drop in silence, and anchors, aliases and tags.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from regulations.importers.faults import Fault, Place, RefusedError

TEXT, LIST, MAPPING = (f"tag:yaml.org,2002:{name}" for name in ("str", "seq", "map"))

# Text, a list of values, or an Entry.
Value = Any


class Entry(dict[str, Value]):
    """A mapping of a file, which knows the line that it begins on."""

    line: int


@dataclass(frozen=True)
class Document:
    """What one file says. `file` is its path below the folder."""

    file: str
    entry: Entry


class _UnreadableError(Exception):
    """The node cannot be what it seems; caught where the file is known."""

    def __init__(self, node: Node | None, reason: str) -> None:
        self.line = node.start_mark.line + 1 if node else 1
        self.reason = reason


def read_folder(folder: Path) -> list[Document]:
    """Read all `*.yaml` files below the folder, in the order of their paths.

    Raises RefusedError for a folder without such files, and for each file that is no well-formed mapping.
    """
    paths = sorted(path for path in folder.rglob("*.yaml") if path.is_file())
    if not paths:
        raise RefusedError([Fault(Place(str(folder), 0), "there are no *.yaml files here")])
    faults = [_misnamed(path.relative_to(folder)) for path in folder.rglob("*.yml")]
    read = [_read_file(path, path.relative_to(folder).as_posix()) for path in paths]
    faults += [fault for fault in read if isinstance(fault, Fault)]
    if faults:
        raise RefusedError(faults)
    return [document for document in read if isinstance(document, Document)]


def _read_file(path: Path, file: str) -> Document | Fault:
    try:
        return Document(file, read_text(path.read_bytes()))
    except _UnreadableError as unreadable:
        return Fault(Place(file, unreadable.line), unreadable.reason)
    except yaml.YAMLError as error:
        return _malformed(file, error)
    except (OSError, RecursionError) as error:
        return Fault(Place(file, 0), f"cannot be read: {error}")


def read_text(content: bytes) -> Entry:
    """Read one YAML document whose top is a mapping. Raises YAMLError, or _UnreadableError with a line."""
    node = yaml.compose(content, Loader=yaml.CBaseLoader)
    if not isinstance(node, MappingNode):
        raise _UnreadableError(node, "must hold lists of records, each under its kind")
    entry: Entry = _value(node, set())
    return entry


def _value(node: Node, seen: set[int]) -> Value:
    _check_plain(node, seen)
    if isinstance(node, MappingNode):
        return _entry(node, seen)
    if isinstance(node, SequenceNode):
        return [_value(item, seen) for item in node.value]
    return node.value


def _check_plain(node: Node, seen: set[int]) -> None:
    if id(node) in seen:
        raise _UnreadableError(node, "anchors and aliases are not used: write the value out")
    seen.add(id(node))
    if node.tag not in (TEXT, LIST, MAPPING):
        raise _UnreadableError(node, f"the tag {node.tag} is not used: write the value only")


def _entry(node: MappingNode, seen: set[int]) -> Entry:
    entry = Entry()
    entry.line = node.start_mark.line + 1
    for key, value in _pairs(node):
        if key.value in entry:
            raise _UnreadableError(key, f"“{key.value}” is given twice in one mapping")
        entry[key.value] = _value(value, seen)
    return entry


def _pairs(node: MappingNode) -> Iterator[tuple[ScalarNode, Node]]:
    for key, value in node.value:
        if not isinstance(key, ScalarNode):
            raise _UnreadableError(key, "a key must be a plain word")
        yield key, value


def _misnamed(path: Path) -> Fault:
    return Fault(Place(path.as_posix(), 0), "would not be read: name the file .yaml")


def _malformed(file: str, error: yaml.YAMLError) -> Fault:
    mark = getattr(error, "problem_mark", None)
    reason = getattr(error, "problem", None) or str(error).splitlines()[0]
    return Fault(Place(file, mark.line + 1 if mark else 0), f"is not well-formed YAML: {reason}")
