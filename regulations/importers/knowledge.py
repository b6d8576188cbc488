"""The knowledge in `fixtures/`: records of all kinds, as YAML that a lawyer reviews. Its form: docs/knowledge.md."""

from pathlib import Path

from regulations.importers.rows import parse
from regulations.importers.storing import Changes, Progress, apply
from regulations.importers.yaml_files import read_folder


def load(folder: Path, progress: Progress | None = None) -> list[Changes]:
    """Load all files of the folder, all or nothing; a second load of the same files changes nothing.

    Returns what was done, by model.
    Raises RefusedError, with file, record and reason of each fault, and nothing is written.
    """
    return apply(parse(read_folder(folder)), progress)
