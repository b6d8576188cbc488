"""Where we stand with a register before an extract of it is read: its entries, when each was listed last, what is ours."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date

from django.db.models import Model

from regulations.importers.plans import last_seen
from regulations.importers.records import RECORD_OF
from regulations.importers.statements import Kind, Thing
from regulations.models import (
    Authorisation,
    EnforcementDomain,
    EnforcementName,
    Extract,
    ImportRow,
    RegisterEntry,
    Source,
)

# What a warning names: in which rows, and by which of their columns the register's words are known again.
PARTS: dict[str, tuple[type[Model], str]] = {
    "names": (EnforcementName, "name"),
    "domains": (EnforcementDomain, "address"),
}


@dataclass
class Adoptable:
    """Records of ours that no entry of the register is bound to yet: each is adopted by one thing at most."""

    authorisations: dict[int, list[Authorisation]] = field(default_factory=dict)
    sources: dict[str, int] = field(default_factory=dict)

    def ids(self, kind: Kind) -> set[int]:
        """The ids of all that may be adopted as this kind of entry."""
        if kind == Kind.AUTHORISATION:
            return {each.pk for held in self.authorisations.values() for each in held}
        return set(self.sources.values()) if kind == Kind.WHITE_PAPER else set()

    def adopt(self, mark: object, thing: Thing) -> int | None:
        """The id of the record that this thing is, taken from the others; None if we have none yet."""
        if thing.kind == Kind.WHITE_PAPER:
            return self.sources.pop(str(thing.fields.get("url")), None)
        held = self.authorisations.get(mark, []) if thing.kind == Kind.AUTHORISATION and isinstance(mark, int) else []
        fitting = [each for each in held if _fits(each, thing)]
        same_day = [each for each in fitting if each.granted_on == thing.fields.get("granted_on")]
        found = same_day if len(same_day) == 1 else fitting
        if len(found) != 1:
            return None
        held.remove(found[0])
        return found[0].pk


def _fits(ours: Authorisation, thing: Thing) -> bool:
    """Whether an authorisation can be the one that is listed: from the same body, under the same law, for the same."""
    fields = thing.fields
    activities = fields.get("activities")
    allowed = {topic.slug for topic in ours.activities.all()}
    return (
        (ours.regulator is not None and ours.regulator.slug == fields.get("regulator"))
        and (ours.policy is None or fields.get("policy") in (None, ours.policy.slug))
        and (not allowed or not isinstance(activities, frozenset) or bool(allowed & activities))
    )


@dataclass
class Standing:
    """entries: all of the register. seen: by entry, the last day on which it was listed. published: days of extracts.

    named: by what a warning names and by its id, what it names already.
    """

    entries: list[RegisterEntry]
    seen: dict[int, date]
    published: set[date]
    by_company: dict[tuple[int, str], dict[str, RegisterEntry]]
    named: dict[str, dict[int, set[str]]]

    def record_id(self, entry: RegisterEntry | None) -> int | None:
        """The id of the record that the entry became; None if it is gone."""
        if entry is None:
            return None
        found: int | None = getattr(entry, f"{RECORD_OF[Kind(entry.kind)]}_id")
        return found

    def adoptable(self, register: str, companies: Collection[int], addresses: Collection[str]) -> Adoptable:
        """What these companies hold, and the white papers at these addresses, that no entry is bound to."""
        held: dict[int, list[Authorisation]] = defaultdict(list)
        free = Authorisation.objects.filter(company__in=companies).exclude(register_entries__register=register)
        for each in free.select_related("regulator", "policy").prefetch_related("activities").order_by("pk"):
            held[each.company_id].append(each)
        papers = Source.objects.filter(url__in=addresses, kind=Source.Kind.WHITE_PAPER)
        unbound = papers.exclude(register_entries__register=register)
        return Adoptable(dict(held), dict(unbound.values_list("url", "pk")))

    def lacking(self, pk: int | None, name: str, values: frozenset[str]) -> list[str]:
        """Those of the names or domains that a warning does not have yet."""
        return sorted(values - self.named[name].get(pk or 0, set()))


def standing(register: str) -> Standing:
    """Read where we stand with the register."""
    entries = list(RegisterEntry.objects.filter(register=register).order_by("pk"))
    published = Extract.objects.filter(register=register, runs__published_at__isnull=False)
    rows = ImportRow.objects.filter(run__extract__register=register, run__published_at__isnull=False)
    seen = rows.filter(entries__isnull=False).order_by().values_list("entries", "run__extract__on").distinct()
    by_company: dict[tuple[int, str], dict[str, RegisterEntry]] = defaultdict(dict)
    for entry in entries:
        if entry.company_id:
            by_company[entry.company_id, entry.kind][entry.apart] = entry
    days = set(published.values_list("on", flat=True))
    return Standing(entries, last_seen(seen), days, dict(by_company), {name: _named(register, name) for name in PARTS})


def _named(register: str, name: str) -> dict[int, set[str]]:
    """By the id of a warning of the register, the names or domains that it has."""
    model, column = PARTS[name]
    found: dict[int, set[str]] = defaultdict(set)
    for pk, value in model._default_manager.filter(action__register_entries__register=register).values_list(
        "action", column
    ):
        found[pk].add(value)
    return found
