"""From what the rows say to a plan: whose entry each is, and what that changes in our records."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import date
from typing import Any

from regulations.importers.identity import Known
from regulations.importers.listing import Listed, Listing, Mark
from regulations.importers.merging import merge
from regulations.importers.naming import FreeKeys, firm_stem, stem
from regulations.importers.plans import Action, Disagreed, EntryPlan, Plan, RecordPlan, State, ended_on
from regulations.importers.records import (
    RECORD_OF,
    Said,
    all_as_json,
    as_json,
    current,
    lacking,
    misfit,
    unknown_keys,
    vocabulary,
)
from regulations.importers.statements import Firm, Kind, Statement, Thing
from regulations.models import Authorisation, RegisterEntry
from regulations.models.screening import NotADomainError, registered_domain

# Which field says that a record holds no longer, and what else then says why.
ENDS: dict[Kind, tuple[str, dict[str, Said]]] = {
    Kind.AUTHORISATION: ("ended_on", {"end_reason": Authorisation.EndReason.DELISTED.value}),
    Kind.WARNING: ("concluded_on", {}),
}
# What a thing tells that is rows of its own beside the record's.
ADDS = ("names", "domains")
# A paper in a language that the register does not name (ISO 639-2).
UNDETERMINED = "und"
RANKS = [State.OLDER, State.UNCHANGED, State.CHANGED, State.ADDED, State.WAITING, State.SET_ASIDE]


def plan(register: str, on: date, statements: Mapping[int, Statement]) -> Plan:
    """Work out what an extract of the day `on` would change. Reads, and writes nothing.

    statements: by the number of the row.
    """
    return _Planner(register, on, statements).plan()


class _Planner:
    def __init__(self, register: str, on: date, statements: Mapping[int, Statement]) -> None:
        self.register, self.on = register, on
        self.result = Plan()
        self.listing = Listing(register, statements, self.result)
        self.listed, self.standing, self.directory = self.listing.listed, self.listing.standing, self.listing.directory
        self.days = {*self.standing.published, on}
        self.added: dict[Mark, RecordPlan] = {}
        self.told: dict[Mark, set[str]] = defaultdict(set)
        self.given_names: dict[Mark, set[str]] = defaultdict(set)
        # What the register said last of each firm, by whichever of its entries.
        self.company_said: dict[Mark, dict[str, Any]] = {
            entry.company_id: entry.said["company"]
            for entry in self.standing.entries
            if entry.company_id and "company" in entry.said
        }
        self.vocabulary = vocabulary()

    def plan(self) -> Plan:
        self._prepare()
        for (mark, _), listed in self.listed.items():
            for each in listed:
                if each.rows[0] not in self.listing.left:
                    self._plan_listed(mark, each)
        self._end_the_rest()
        return self.result

    # What they change

    def _prepare(self) -> None:
        """Read what we say now of all that is listed, and which keys are free, at once."""
        marks = {mark for mark, _ in self.listed}
        names = {name for listed in self.listed.values() for each in listed for name in each.firm.fields}
        known = [mark for mark in marks if isinstance(mark, int)]
        self.companies = current("company", known, {*names, "legal_name", "lei"})
        self.directory.learn({str(said["legal_name"]) for said in self.companies.values() if said["legal_name"]})
        self.adoptable = self.standing.adoptable(self.register, known, self._addresses())
        self.ours = self._records_now()
        new = {mark: listed[0].firm for (mark, _), listed in self.listed.items() if not isinstance(mark, int)}
        stems = {mark: firm_stem(firm.name, firm.lei) for mark, firm in new.items()}
        keys = FreeKeys("company", {stems[mark] for mark, firm in new.items() if firm.becomes_company})
        self.company_keys: dict[Mark, str] = {
            **{pk: str(said["key"]) for pk, said in self.companies.items()},
            **{mark: keys.give(stems[mark]) for mark, firm in new.items() if firm.becomes_company},
        }
        wanted = [(kind, self._stem(mark, each)) for (mark, kind), listed in self.listed.items() for each in listed]
        self.keys = {kind: FreeKeys(RECORD_OF[kind], {key for of, key in wanted if of == kind}) for kind in Kind}
        others = [other for listed in self.listed.values() for each in listed for other in each.thing.others]
        matched = {who.company_id for other in others if isinstance(who := self.directory.who(other), Known)}
        self.mentioned = {pk: str(said["key"]) for pk, said in current("company", matched, []).items()}

    def _addresses(self) -> set[str]:
        return {str(each.thing.fields.get("url", "")) for listed in self.listed.values() for each in listed} - {""}

    def _records_now(self) -> dict[Kind, dict[int, dict[str, Said]]]:
        found = {}
        for kind in Kind:
            things = [each for (_, of), listed in self.listed.items() if of == kind for each in listed]
            names = {name for each in things for name in each.thing.fields if name not in ADDS}
            if kind in ENDS:
                names |= {ENDS[kind][0], *ENDS[kind][1]}
            entries = [entry for entry in self.standing.entries if entry.kind == kind]
            ids = {pk for entry in entries if (pk := self.standing.record_id(entry))} | self.adoptable.ids(kind)
            found[kind] = current(RECORD_OF[kind], ids, names)
        return found

    def _stem(self, mark: Mark, each: Listed) -> str:
        fields, company = each.thing.fields, self.company_keys.get(mark) or firm_stem(each.firm.name, each.firm.lei)
        if each.thing.kind == Kind.AUTHORISATION:
            return stem(company, str(fields.get("regulator", "")), str(fields.get("kind", "")))
        if each.thing.kind == Kind.WHITE_PAPER:
            return stem(company, "white-paper")
        return stem(str(fields.get("regulator", "")), company, str(fields.get("announced_on") or "")[:4])

    def _plan_listed(self, mark: Mark, each: Listed) -> None:
        entry, number = each.entry, each.rows[0]
        if entry and (seen := self.standing.seen.get(entry.pk)) and seen > self.on:
            self._state(each, State.OLDER, f"The extract of {seen} says what holds.", entry)
            return
        if entry and not self.standing.record_id(entry):
            self._state(each, State.UNCHANGED, "An editor has removed the record; it is not brought back.", entry)
            return
        kept = EntryPlan(each.thing.kind, each.firm.name, each.firm.lei_cell, each.thing.apart, entry)
        kept.rows, kept.said = list(each.rows), dict(entry.said) if entry else {}
        if mark in self.company_said:
            kept.said["company"] = self.company_said[mark]
        done = [
            each_done
            for each_done in (self._company(mark, each.firm, kept, number), self._record(mark, each, kept, number))
            if each_done
        ]
        if missing := [name for plan in done if plan.action == Action.ADD for name in lacking(plan.kind, _after(plan))]:
            self.listing.leave(
                number, State.SET_ASIDE, f"{self._note(kept)} Nothing tells {', '.join(missing)}.".strip(), each.firm
            )
            return
        self.result.records += done
        self.result.entries.append(kept)
        self._state(each, _state_of(done), self._note(kept), entry)

    def _state(self, each: Listed, state: State, note: str, entry: RegisterEntry | None) -> None:
        for number in each.rows:
            told = note if number == each.rows[0] else f"{note} The same as row {each.rows[0]}.".strip()
            before = self.result.rows.get(number)
            if before is None or _rank(before[0]) < _rank(state):
                self.result.rows[number] = (state, told)
            if entry:
                self.result.seen[number].add(entry.pk)

    def _company(self, mark: Mark, firm: Firm, kept: EntryPlan, number: int) -> RecordPlan | None:
        if not firm.becomes_company:
            return None
        kept.company = self.company_keys[mark]
        said: dict[str, Said] = {"legal_name": firm.name, **firm.fields}
        if firm.lei:
            said["lei"] = firm.lei
        # The first row that tells a field of the firm is believed.
        said = {name: value for name, value in said.items() if name not in self.told[mark]}
        self.told[mark] |= said.keys()
        names = self._names_to_give(mark, firm)
        done = RecordPlan("company", kept.company, Action.CHANGE, number, mark if isinstance(mark, int) else None)
        if isinstance(mark, int):
            self._merge(done, self.companies[mark], said, kept)
        elif mark in self.added:
            self._merge(self.added[mark], _after(self.added[mark]), said, kept)
        else:
            self.added[mark] = done = RecordPlan("company", kept.company, Action.ADD, number, is_first_evidence=True)
            self._merge(done, {}, {"name": firm.name, **said}, kept)
        self.company_said[mark] = kept.said["company"]
        if names:
            done.adds["names"] = names
        return done

    def _names_to_give(self, mark: Mark, firm: Firm) -> list[str]:
        """Trading names that the company has in no form yet, whatever row gave them to it."""
        given = self.given_names[mark]
        fresh = {}
        for name in firm.trading_names:
            folded = self.directory.fold(name)
            has = isinstance(mark, int) and mark in self.directory.by_name.get(folded, ())
            if folded not in given and not has and not misfit("company", "name", name):
                fresh[folded] = name
        given.update(fresh)
        return list(fresh.values())

    def _record(self, mark: Mark, each: Listed, kept: EntryPlan, number: int) -> RecordPlan:
        thing, entry = each.thing, each.entry
        kind, theirs = RECORD_OF[thing.kind], self._theirs(each)
        pk = self.standing.record_id(entry) if entry else self.adoptable.adopt(mark, thing)
        if pk:
            ours = self.ours[thing.kind][pk]
            done = RecordPlan(kind, str(ours["key"]), Action.CHANGE, number, pk, is_first_evidence=entry is None)
        else:
            ours, key = {}, self.keys[thing.kind].give(self._stem(mark, each))
            done = RecordPlan(kind, key, Action.ADD, number, is_first_evidence=True)
            theirs = self._belonging(kept, thing) | theirs
        kept.record = done.key
        self._merge(done, ours, theirs, kept)
        self._add_named(done, thing, kept)
        mentions = [
            self.mentioned[who.company_id] for who in map(self.directory.who, thing.others) if isinstance(who, Known)
        ]
        if mentions and not pk:
            done.adds["mentions"] = mentions
        return done

    def _add_named(self, done: RecordPlan, thing: Thing, kept: EntryPlan) -> None:
        for name in ADDS:
            values = thing.fields.get(name)
            if not isinstance(values, frozenset):
                continue
            nowhere = {value: why for value in values if name == "domains" and (why := _no_domain(value))}
            kept.notes += [f"{value}: {why}" for value, why in sorted(nowhere.items())]
            if fresh := self.standing.lacking(done.pk, name, values - nowhere.keys()):
                done.adds[name] = fresh

    def _belonging(self, kept: EntryPlan, thing: Thing) -> dict[str, Said]:
        if thing.kind == Kind.AUTHORISATION:
            return {"company": kept.company}
        if thing.kind == Kind.WHITE_PAPER:
            return {"publishing_company": kept.company, "language": UNDETERMINED}
        return {}

    def _theirs(self, each: Listed) -> dict[str, Said]:
        """What the register says of the thing, with its end if newer extracts do not list it."""
        theirs = {name: value for name, value in each.thing.fields.items() if name not in ADDS}
        if each.thing.kind in ENDS:
            field, why = ENDS[each.thing.kind]
            end = ended_on(self.on, self.days)
            if theirs.get(field) is None:
                theirs |= {field: end, **(why if end else dict.fromkeys(why))}
        return theirs

    def _merge(self, done: RecordPlan, ours: Mapping[str, Said], theirs: Mapping[str, Said], kept: EntryPlan) -> None:
        before = kept.said.get(done.kind, {})
        strange = unknown_keys(done.kind, theirs, self.vocabulary)
        why = {name: misfit(done.kind, name, value) for name, value in theirs.items() if name not in strange}
        fitting = {name: value for name, value in theirs.items() if name not in strange and not why[name]}
        kept.notes += [f"{name}: we have no {keys}." for name, keys in strange.items()]
        kept.notes += [f"{name}: {reason}" for name, reason in why.items() if reason]
        merged = merge(ours, fitting, before, self.directory.fold)
        done.fields |= merged.taken
        kept.disagreed += [
            Disagreed(done.kind, name, have, said, done.row) for name, (have, said) in merged.disagreed.items()
        ]
        kept.said[done.kind] = {**before, **all_as_json(fitting)}

    def _note(self, kept: EntryPlan) -> str:
        return " ".join(
            kept.notes
            + [
                f"{each.record} {each.field}: we say {as_json(each.ours)}, the register {as_json(each.theirs)}."
                for each in kept.disagreed
            ]
        )

    # What is listed no longer

    def _end_the_rest(self) -> None:
        seen_now = {pk for entries in self.result.seen.values() for pk in entries}
        for entry in self.standing.entries:
            field_and_why = ENDS.get(RegisterEntry.Kind(entry.kind))
            pk, seen_on = self.standing.record_id(entry), self.standing.seen.get(entry.pk)
            if entry.pk in seen_now and (seen_on is None or seen_on <= self.on):
                continue
            if field_and_why and pk and seen_on:
                self._end(entry, pk, ended_on(seen_on, self.days), *field_and_why)

    def _end(self, entry: RegisterEntry, pk: int, end: date | None, field: str, why: Mapping[str, Said]) -> None:
        ours = self.ours[Kind(entry.kind)][pk]
        kind = RECORD_OF[Kind(entry.kind)]
        before = entry.said.get(kind, {})
        if end is None or before.get(field) == as_json(end):
            return
        kept = EntryPlan(Kind(entry.kind), entry.name, entry.lei, entry.apart, entry, said=dict(entry.said))
        done = RecordPlan(kind, str(ours["key"]), Action.END, None, pk)
        theirs = {field: end, **why}
        # An editor who knows of an end knows more than that it is listed no longer.
        if ours.get(field) is None or before.get(field) == as_json(ours[field]):
            self._merge(done, ours, theirs, kept)
        kept.said[kind] = {**before, **all_as_json(theirs)}
        kept.record = done.key
        self.result.records.append(done)
        self.result.entries.append(kept)


def _no_domain(address: str) -> str:
    """Why the address is in no domain that one can register; empty if it is in one."""
    try:
        registered_domain(address)
    except NotADomainError as error:
        return str(error)
    return ""


def _after(plan: RecordPlan) -> dict[str, Said]:
    return {name: after for name, (_, after) in plan.fields.items()}


def _state_of(done: list[RecordPlan]) -> State:
    changed = [each for each in done if each.fields or each.adds]
    if any(each.action == Action.ADD for each in changed):
        return State.ADDED
    return State.CHANGED if changed else State.UNCHANGED


def _rank(state: State) -> int:
    """Of the states that a row's things have, the one of the highest rank is the row's."""
    return RANKS.index(state)
