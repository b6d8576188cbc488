"""Publishes a plan: what is new is added, what changed is changed, and each of both cites the extract and the row."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.db import connection
from django.db.models import Model

from regulations.importers.plans import Action, EntryPlan, Plan, RecordPlan
from regulations.importers.records import KEYS, MODELS, RECORD_OF, Said, as_json, key_name
from regulations.importers.statements import Register
from regulations.models import (
    Change,
    Citation,
    Company,
    CompanyName,
    Disagreement,
    EnforcementDomain,
    EnforcementName,
    Extract,
    ImportRow,
    ImportRun,
    Mention,
    RegisterEntry,
    Regulator,
    Source,
    change,
)
from regulations.models.screening import registered_domain
from regulations.models.search import search_refreshed_at_end

BATCH = 1000
Ids = dict[type[Model], dict[str, int]]


def apply(register: Register, run: ImportRun, plan: Plan, tell: Callable[[str], None]) -> None:
    """Bring our records in line with the plan, within the caller's transaction.

    Raises ValidationError or DatabaseError if a rule of ours forbids a record.
    """
    reason = f"{register.title}, extract of {run.extract.on}, run {run.pk}"
    with change(actor=register.key, kind=Change.Kind.IMPORT, reason=reason), search_refreshed_at_end():
        _Publisher(register, run, plan, tell).publish()


def source_of(register: Register, extract: Extract) -> Source:
    """The extract as a publication, on which what comes of it rests; made if it is not there yet."""
    publisher = Regulator.objects.get(slug=register.publisher)
    found, _ = Source.objects.get_or_create(
        slug=f"{register.publisher.partition('-')[0]}-{register.key}-{extract.on}",
        defaults={
            "title": f"{register.title}, extract of {extract.on}",
            "url": register.url,
            "kind": Source.Kind.REGISTER,
            "publishing_regulator": publisher,
            "published_on": extract.on,
        },
    )
    return found


class _Publisher:
    def __init__(self, register: Register, run: ImportRun, plan: Plan, tell: Callable[[str], None]) -> None:
        self.register, self.run, self.plan, self.tell = register, run, plan, tell
        self.rows = {row.number: row for row in run.rows.all()}
        self.changes = plan.changes()
        self.ids = _ids_of(self.changes)

    def publish(self) -> None:
        if self.changes:
            self.source = source_of(self.register, self.run.extract)
        for kind in MODELS:
            done = [each for each in self.changes if each.kind == kind]
            if done:
                self.tell(f"Publishing {len(done):,} {MODELS[kind]._meta.verbose_name_plural} ...")
                self._add([each for each in done if each.action == Action.ADD], kind)
                self._change([each for each in done if each.action != Action.ADD], kind)
                self._give_lists(done, kind)
                self._give_parts(done, kind)
                self._cite(done, kind)
        self._keep_entries()

    def _add(self, done: Sequence[RecordPlan], kind: str) -> None:
        model = MODELS[kind]
        made = []
        for each in done:
            record = model(**{key_name(kind): each.key}, **self._columns(model, each))
            _check(record)
            made.append(record)
        for record in model._default_manager.bulk_create(made, batch_size=BATCH):
            self.ids[model][getattr(record, key_name(kind))] = record.pk

    def _change(self, done: Sequence[RecordPlan], kind: str) -> None:
        model = MODELS[kind]
        self.ids[model] |= {each.key: each.pk for each in done if each.pk}
        by_fields: dict[tuple[str, ...], list[Model]] = defaultdict(list)
        found = model._default_manager.in_bulk([each.pk for each in done if each.fields])
        for each in done:
            columns = self._columns(model, each)
            if not columns:
                continue
            record = found[each.pk]
            for name, value in columns.items():
                setattr(record, name, value)
            _check(record)
            by_fields[tuple(sorted(columns))].append(record)
        for names, records in by_fields.items():
            model._default_manager.bulk_update(records, [_field(model, name) for name in names], batch_size=BATCH)

    def _columns(self, model: type[Model], done: RecordPlan) -> dict[str, Any]:
        """What stands in the record's own row, foreign keys as ids."""
        columns: dict[str, Any] = {}
        for name, (_, after) in done.fields.items():
            field: Any = model._meta.get_field(name)
            if field.many_to_many:
                continue
            if field.is_relation:
                columns[field.attname] = self.ids[field.related_model][str(after)] if after else None
            else:
                columns[name] = after if after is not None or field.null else ""
        return columns

    def _give_lists(self, done: Sequence[RecordPlan], kind: str) -> None:
        model = MODELS[kind]
        for field in model._meta.many_to_many:
            wanted = [(each, after) for each in done for name, (_, after) in each.fields.items() if name == field.name]
            if not wanted:
                continue
            through: Any = field.remote_field.through
            here, there = field.m2m_column_name(), field.m2m_reverse_name()
            changed = [self.ids[model][each.key] for each, _ in wanted if each.action != Action.ADD]
            through._default_manager.filter(**{f"{here}__in": changed}).delete()
            ids: dict[str, int] = self.ids[field.related_model]
            pairs = [(self.ids[model][each.key], ids[key]) for each, keys in wanted for key in sorted(_keys(keys))]
            _insert(through._meta.db_table, _columns_of(pairs, here, there))

    def _give_parts(self, done: Sequence[RecordPlan], kind: str) -> None:
        made: dict[type[Model], list[Model]] = defaultdict(list)
        for each in done:
            owner = self.ids[MODELS[kind]][each.key]
            for name, values in each.adds.items():
                for part in self._parts(kind, name, owner, values):
                    made[type(part)].append(part)
        for model, parts in made.items():
            model._default_manager.bulk_create(parts, batch_size=BATCH)

    def _parts(self, kind: str, name: str, owner: int, values: Sequence[str]) -> Iterator[Model]:
        for position, value in enumerate(values, start=1):
            if name == "mentions":
                yield Mention(source_id=owner, position=position, company_id=self.ids[Company][value])
            elif kind == "company":
                yield CompanyName(company_id=owner, name=value, kind=CompanyName.Kind.TRADING)
            elif name == "domains":
                yield EnforcementDomain(action_id=owner, domain=registered_domain(value), address=value)
            else:
                yield EnforcementName(action_id=owner, name=value)

    def _cite(self, done: Sequence[RecordPlan], kind: str) -> None:
        """A record's first evidence is for the whole of it, later evidence for the fields that changed. A paper is its own."""
        if kind == "source":
            return
        ids = self.ids[MODELS[kind]]
        fields = [[] if each.is_first_evidence else sorted([*each.fields, *each.adds]) for each in done]
        _insert(
            Citation._meta.db_table,
            {
                f"{kind}_id": ("bigint", [ids[each.key] for each in done]),
                "fields": ("jsonb", [json.dumps(names) for names in fields]),
                "locator": ("text", [f"row {each.row}" if each.row else "not listed" for each in done]),
            },
            "{0}, ARRAY(SELECT jsonb_array_elements_text({1})), {2}, %s, %s, %s, %s, '', ''",
            "source_id, read_on, method, read_by, quote, note",
            [self.source.pk, self.run.extract.on, Citation.Method.IMPORT.value, self.register.key],
        )

    def _keep_entries(self) -> None:
        new, changed = [], []
        for plan in self.plan.entries:
            entry = plan.entry or RegisterEntry(register=self.register.key, kind=plan.kind)
            if plan.entry is None:
                new.append(entry)
                self._bind(entry, plan)
            elif plan.alters:
                changed.append(entry)
            entry.name, entry.lei, entry.apart, entry.said = plan.name, plan.lei, plan.apart, plan.said
            plan.entry = entry
        RegisterEntry.objects.bulk_create(new, batch_size=BATCH)
        _update_entries(changed)
        self._keep_disagreements()
        self._link_rows()

    def _bind(self, entry: RegisterEntry, plan: EntryPlan) -> None:
        if plan.company:
            entry.company_id = self._id(Company, plan.company)
        if plan.record:
            kind = RECORD_OF[plan.kind]
            setattr(entry, f"{kind}_id", self._id(MODELS[kind], plan.record))

    def _id(self, model: type[Model], key: str) -> int:
        """Records that stay as they are were not looked up before."""
        if key not in self.ids[model]:
            self.ids[model][key] = model._default_manager.get(**{KEYS[model]: key}).pk
        return self.ids[model][key]

    def _keep_disagreements(self) -> None:
        for plan in self.plan.entries:
            for each in plan.disagreed:
                row = self.rows[each.row] if each.row else None
                facts = {"ours": as_json(each.ours), "theirs": as_json(each.theirs), "row": row}
                Disagreement.objects.update_or_create(
                    entry=plan.entry, record=each.record, field=each.field, outcome="", defaults=facts
                )

    def _link_rows(self) -> None:
        through: Any = ImportRow.entries.through
        pairs = {(number, plan.entry.pk) for plan in self.plan.entries if plan.entry for number in plan.rows}
        pairs |= {(number, pk) for number, entries in self.plan.seen.items() for pk in entries}
        links = [(self.rows[number].pk, pk) for number, pk in sorted(pairs)]
        _insert(through._meta.db_table, _columns_of(links, "importrow_id", "registerentry_id"))


def _columns_of(pairs: Sequence[tuple[int, int]], here: str, there: str) -> dict[str, tuple[str, list[int]]]:
    return {here: ("bigint", [one for one, _ in pairs]), there: ("bigint", [other for _, other in pairs])}


def _update_entries(changed: Sequence[RegisterEntry]) -> None:
    """In one statement: an update with a case for each row takes the longer the more there are."""
    columns = [[getattr(entry, name) for entry in changed] for name in ("pk", "name", "lei", "apart")]
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE regulations_registerentry AS entry SET name = new.name, lei = new.lei, apart = new.apart, said = new.said"
            " FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::jsonb[]) AS new (id, name, lei, apart, said)"
            " WHERE entry.id = new.id",
            [*columns, [json.dumps(entry.said) for entry in changed]],
        )


def _insert(
    table: str,
    columns: Mapping[str, tuple[str, Sequence[Any]]],
    selected: str = "",
    more: str = "",
    constants: Sequence[Any] = (),
) -> None:
    """Insert rows in one statement, those that are there already left out; so lists of hundreds of thousands are quick.

    columns: each column's type and values. selected: what is inserted, {0} being the first column; all as they are if
    not given. more: further columns, whose values `selected` takes from `constants`.
    """
    names = [f'"{name}"' for name in columns]
    given = ", ".join(f"%s::{kind}[]" for kind, _ in columns.values())
    what = selected.format(*names) if selected else ", ".join(names)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({', '.join([*names, *([more] if more else [])])})"  # noqa: S608 - our own names
            f" SELECT {what} FROM unnest({given}) AS given ({', '.join(names)}) ON CONFLICT DO NOTHING",
            [*constants, *(list(values) for _, values in columns.values())],
        )


def _ids_of(done: Iterable[RecordPlan]) -> Ids:
    """The ids of all records that these name, by model and key, in a query for each model."""
    wanted: dict[type[Model], set[str]] = defaultdict(set)
    for each in done:
        for name, (_, after) in each.fields.items():
            related: Any = MODELS[each.kind]._meta.get_field(name).related_model
            if related:
                wanted[related] |= _keys(after)
        wanted[Company] |= set(each.adds.get("mentions", ()))
    ids: Ids = defaultdict(dict)
    for model, keys in wanted.items():
        name = KEYS[model]
        ids[model] = dict(model._default_manager.filter(**{f"{name}__in": keys}).values_list(name, "pk"))
    return ids


def _keys(value: Said) -> set[str]:
    if isinstance(value, frozenset):
        return set(value)
    return {str(value)} if value else set()


def _check(record: Model) -> None:
    """Hold the model's rules; foreign keys were looked up just now, and the database holds what is unique."""
    record.clean_fields(exclude=[field.name for field in record._meta.fields if field.is_relation])
    record.clean()


def _field(model: type[Model], column: str) -> str:
    return next(field.name for field in model._meta.fields if column in (field.name, field.attname))
