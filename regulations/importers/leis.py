"""What our records ask of GLEIF, and what a check of them comes to."""

from collections import defaultdict
from dataclasses import dataclass, field
from enum import StrEnum

from regulations.importers.extracts import NAME_COLUMN
from regulations.importers.gleif import LeiRecord
from regulations.importers.identity import fold
from regulations.models import (
    Citation,
    Company,
    CompanyIdentifier,
    ImportCell,
    ImportRun,
    Jurisdiction,
    Ruling,
)

READER = "gleif"
LEI_COLUMN = "ae_lei"
# A registration with one of these words stands for the entity; LAPSED only says that it was not renewed in time.
STANDING = {"ISSUED", "LAPSED", "PENDING_TRANSFER", "PENDING_ARCHIVAL"}


class Outcome(StrEnum):
    """How one comparison ended."""

    CONFIRMED = "confirmed"
    COMPLETED = "completed"
    CONTRADICTED = "contradicted"
    WAITING = "waiting for a person"
    ABSENT = "not in GLEIF"
    NEWER = "checked against a newer golden copy"
    PROPOSED = "proposed"
    RULED = "ruled"


@dataclass(frozen=True)
class Finding:
    """One thing to tell. `about` is the company's key, or the register and the firm's name."""

    outcome: Outcome
    about: str
    sentence: str


@dataclass(frozen=True)
class Proposal:
    """A quarantined LEI cell, and the one LEI that can be meant by it."""

    register: str
    name: str
    raw: str
    lei: str


@dataclass
class Completion:
    """What a company gets: `values` by field, `number` for the company register, `cites` what then rests on GLEIF."""

    company: Company
    record: LeiRecord
    values: dict[str, str | Jurisdiction] = field(default_factory=dict)
    number: CompanyIdentifier | None = None
    cites: list[str] = field(default_factory=list)
    citation: Citation | None = None

    @property
    def completes(self) -> bool:
        return bool(self.values or self.number)


@dataclass
class Checked:
    """What a check comes to: all findings, and what is to be written."""

    findings: list[Finding] = field(default_factory=list)
    completions: list[Completion] = field(default_factory=list)
    rulings: list[Ruling] = field(default_factory=list)

    def tell(self, outcome: Outcome, about: object, sentence: str) -> None:
        self.findings.append(Finding(outcome, str(about), sentence))


@dataclass(frozen=True)
class Wanted:
    """What is looked up: LEIs, and by folded name the keys of companies without LEI."""

    leis: set[str]
    nameless: dict[str, set[str]]
    proposals: list[Proposal]


def wanted() -> Wanted:
    """What our records ask of GLEIF."""
    proposals = _proposals()
    leis = {lei for lei in Company.objects.values_list("lei", flat=True) if lei}
    return Wanted(leis | {each.lei for each in proposals}, _without_lei(), proposals)


def _without_lei() -> dict[str, set[str]]:
    rows = list(Company.objects.filter(lei__isnull=True).values_list("slug", "name", "legal_name"))
    folded = fold({name for _, *names in rows for name in names})
    found = defaultdict(set)
    for slug, *names in rows:
        for name in filter(None, map(folded.__getitem__, names)):
            found[name].add(slug)
    return dict(found)


def _proposals() -> list[Proposal]:
    """The LEI cells that the last run of each register put aside with a proposal, and that nobody has ruled on."""
    runs = ImportRun.objects.order_by("extract__register", "-pk").distinct("extract__register").values("pk")
    cells = ImportCell.objects.filter(
        row__run__in=list(runs.values_list("pk", flat=True)), column=LEI_COLUMN, outcome=ImportCell.Outcome.QUARANTINED
    ).exclude(proposal="")
    quarantined = list(cells.values_list("row", "row__run__extract__register", "raw", "proposal"))
    named = ImportCell.objects.filter(row__in=[row for row, *_ in quarantined], column=NAME_COLUMN)
    names = dict(named.values_list("row", "raw"))
    ruled = set(Ruling.objects.filter(column=LEI_COLUMN).values_list("register", "name", "raw"))
    found = {Proposal(register, names.get(row, ""), raw, lei) for row, register, raw, lei in quarantined}
    return sorted(
        (each for each in found if (each.register, each.name, each.raw) not in ruled),
        key=lambda each: (each.register, each.name, each.raw),
    )
