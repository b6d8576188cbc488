"""What our records ask of GLEIF, and what a check of them comes to."""

from collections import defaultdict
from dataclasses import dataclass, field
from enum import StrEnum

from regulations.importers.cell_leis import is_lei
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
    RegisterEntry,
    Ruling,
)

READER = "gleif"
# The columns with LEIs, and in which column of the same row their firm's name stands.
NAMED_IN = {"ae_lei": NAME_COLUMN, "ae_lei_casp": "ae_lei_name_casp"}
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
    """A quarantined LEI cell, and the one LEI that can be meant by it.

    name: the row's firm, by which a ruling is found. firm: whose LEI it is, which may be another firm of the row.
    """

    register: str
    name: str
    column: str
    raw: str
    lei: str
    firm: str


@dataclass(frozen=True)
class Listing:
    """A firm with a readable LEI in a register, which is none of our companies by that LEI."""

    register: str
    firm: str
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
    """What is looked up. `leis`: all of them; `nameless`: the keys of companies without LEI, by folded name."""

    leis: set[str]
    nameless: dict[str, set[str]]
    proposals: list[Proposal]
    listings: list[Listing]


def wanted() -> Wanted:
    """What our records ask of GLEIF."""
    proposals = _proposals()
    ours = {lei for lei in Company.objects.values_list("lei", flat=True) if lei}
    listings = _listings(ours)
    leis = ours | {each.lei for each in proposals} | {each.lei for each in listings}
    return Wanted(leis, _without_lei(), proposals, listings)


def _listings(ours: set[str]) -> list[Listing]:
    entries = RegisterEntry.objects.exclude(lei="").order_by("register", "name", "lei")
    found = dict.fromkeys(Listing(*each) for each in entries.values_list("register", "name", "lei"))
    return [each for each in found if each.lei not in ours and is_lei(each.lei)]


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
    cells = ImportCell.objects.filter(row__run__in=list(runs.values_list("pk", flat=True)))
    quarantined = cells.filter(column__in=NAMED_IN, outcome=ImportCell.Outcome.QUARANTINED).exclude(proposal="")
    found = list(quarantined.values_list("row", "row__run__extract__register", "column", "raw", "proposal"))
    named = ImportCell.objects.filter(row__in=[row for row, *_ in found], column__in=NAMED_IN.values())
    names = {(row, column): raw for row, column, raw in named.values_list("row", "column", "raw")}
    proposals = {
        Proposal(register, names.get((row, NAME_COLUMN), ""), column, raw, lei, names.get((row, NAMED_IN[column]), ""))
        for row, register, column, raw, lei in found
    }
    ruled = set(Ruling.objects.filter(column__in=NAMED_IN).values_list("register", "name", "column", "raw"))
    return sorted(
        (each for each in proposals if (each.register, each.name, each.column, each.raw) not in ruled),
        key=lambda each: (each.register, each.name, each.column, each.raw),
    )
