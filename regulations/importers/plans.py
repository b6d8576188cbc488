"""What an extract would change, worked out before anything is written: record by record, field by field."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from regulations.importers.records import Said, as_json
from regulations.models import ImportChange, ImportRow, RegisterEntry

Action = ImportChange.Action
State = ImportRow.State


@dataclass
class RecordPlan:
    """What is to be done to one record.

    fields: what we said before and what we say after. adds: rows that it is to have beside those that it has: the
    `names` of a company, the `names` and `domains` of a warning, the `mentions` of a source (keys of companies).
    row: the number of the row that says so; none where it is that nothing is listed.
    """

    kind: str
    key: str
    action: Action
    row: int | None
    pk: int | None = None
    fields: dict[str, tuple[Said, Said]] = field(default_factory=dict)
    adds: dict[str, list[str]] = field(default_factory=dict)
    is_first_evidence: bool = False

    def told(self) -> dict[str, Any]:
        """Field by field, for a preview and for its digest."""
        told = {name: [as_json(before), as_json(after)] for name, (before, after) in self.fields.items()}
        return told | {name: [[], values] for name, values in self.adds.items()}


@dataclass(frozen=True)
class Disagreed:
    """A field of a record of which an editor says another thing than the register."""

    record: str
    field: str
    ours: Said
    theirs: Said
    row: int | None


@dataclass
class EntryPlan:
    """What an entry of the register is from now on. `record` and `company` are keys of records, there or planned.

    notes: what the register says and we cannot hold, for a person to read.
    """

    kind: RegisterEntry.Kind
    name: str
    lei: str
    apart: str
    entry: RegisterEntry | None = None
    company: str | None = None
    record: str | None = None
    said: dict[str, dict[str, Any]] = field(default_factory=dict)
    rows: list[int] = field(default_factory=list)
    disagreed: list[Disagreed] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def alters(self) -> bool:
        """Whether the entry is new, or says another thing than before."""
        entry = self.entry
        return entry is None or (entry.name, entry.lei, entry.apart, entry.said) != (
            self.name,
            self.lei,
            self.apart,
            self.said,
        )


@dataclass
class Plan:
    """rows: what each comes to, and a word on it. seen: entries that are listed or may be, by row.

    seen_before: by entry, the day on which it was listed last until now. published: the days of the extracts until now.
    """

    rows: dict[int, tuple[State, str]] = field(default_factory=dict)
    records: list[RecordPlan] = field(default_factory=list)
    entries: list[EntryPlan] = field(default_factory=list)
    seen: dict[int, set[int]] = field(default_factory=lambda: defaultdict(set))
    seen_before: dict[int, date] = field(default_factory=dict)
    published: set[date] = field(default_factory=set)

    def changes(self) -> list[RecordPlan]:
        """What is done to records, in the order of the rows; what ends comes last."""
        return [record for record in self.records if record.fields or record.adds]

    @property
    def does_nothing(self) -> bool:
        """Whether publishing it would change neither a record nor what we know of an entry."""
        return not self.changes() and not any(each.alters or each.disagreed for each in self.entries)

    def digest(self) -> str:
        """The hash of all that it would do: two plans with one digest do the same."""
        told = [[each.kind, each.key, each.action, each.row, each.told()] for each in self.changes()]
        entries = [[each.kind, each.name, each.apart, each.company, each.record, each.said] for each in self.entries]
        states = [[number, state, note] for number, (state, note) in sorted(self.rows.items())]
        return hashlib.sha256(json.dumps([told, entries, states], sort_keys=True, default=str).encode()).hexdigest()


def last_seen(seen: Iterable[tuple[int, date]]) -> dict[int, date]:
    """By entry, the day of the last published extract that lists it, of pairs of both."""
    latest: dict[int, date] = {}
    for entry, on in seen:
        latest[entry] = max(on, latest.get(entry, on))
    return latest


def ended_on(seen_on: date, published: Iterable[date]) -> date | None:
    """The day from which an entry is listed no longer: that of the first extract after the last that lists it.

    Worked out from the days alone, so that it is the same in whatever order the extracts were imported.
    """
    return min((on for on in published if on > seen_on), default=None)
