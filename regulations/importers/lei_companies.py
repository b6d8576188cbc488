"""GLEIF's records against our companies: confirmed, completed, contradicted; what an editor said is never overwritten."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date

from regulations.importers.gleif import LeiRecord
from regulations.importers.identity import fold
from regulations.importers.leis import READER, STANDING, Checked, Completion, Outcome
from regulations.importers.records import misfit
from regulations.models import Citation, Company, CompanyIdentifier, CompanyName, Jurisdiction, Revision

# Codes of the registration authorities list for "none", "not in the list" and the like.
NO_AUTHORITY = {"", "RA777777", "RA888888", "RA999999"}
# What of a company is completed, by the field: its column, and the property of GLEIF's record.
PLACES = {"incorporated_in": "jurisdiction", "headquarters": "headquarters"}
COLUMNS = {
    "legal_name": "legal_name",
    "incorporated_in": "incorporated_in_id",
    "headquarters": "headquarters_id",
}


class Comparison:
    """Compares our companies that have a LEI with their records, in a number of queries that does not grow."""

    def __init__(self, records: Mapping[str, LeiRecord], day: date, checked: Checked) -> None:
        self.day, self.checked = day, checked
        companies = Company.objects.filter(lei__isnull=False).select_for_update(of=("self",))
        self.companies = list(companies.select_related("incorporated_in", "headquarters").order_by("slug"))
        self.records = records
        self.ids = [company.pk for company in self.companies]
        self.names = self._names()
        self.folded = fold(self._all_names())
        self.jurisdictions = {each.code: each for each in Jurisdiction.objects.all()}
        self.emptied = self._emptied()
        self.citations = self._citations()
        self._read_numbers()

    def _names(self) -> dict[int, list[str]]:
        names = {company.pk: [company.name, company.legal_name] for company in self.companies}
        for pk, name in CompanyName.objects.filter(company__in=self.ids).values_list("company", "name"):
            names[pk].append(name)
        return names

    def _all_names(self) -> set[str]:
        ours = {name for names in self.names.values() for name in names}
        return ours | {name for record in self.records.values() for name in record.names}

    def _emptied(self) -> set[tuple[int, str]]:
        """The fields of a company that somebody has emptied: who did meant it."""
        altered = Revision.objects.filter(table=Company._meta.db_table, row_id__in=self.ids)
        altered = altered.altering(COLUMNS.values())
        return {
            (pk, name)
            for pk, before, after in altered.values_list("row_id", "before", "after").iterator()
            for name, column in COLUMNS.items()
            if before and after and before.get(column) and not after.get(column)
        }

    def _citations(self) -> dict[int, Citation]:
        ours = Citation.objects.filter(company__in=self.ids, read_by=READER, method=Citation.Method.IMPORT)
        found = ours.select_related("source").order_by("source__published_on")
        return {citation.company_id: citation for citation in found if citation.company_id}

    def _read_numbers(self) -> None:
        scheme = CompanyIdentifier.Scheme.COMPANY_REGISTER
        self.numbers: dict[int, list[str]] = defaultdict(list)
        self.taken: set[tuple[str, str]] = set()
        values = {record.number for record in self.records.values()}
        found = CompanyIdentifier.objects.filter(scheme=scheme)
        for pk, value in found.filter(company__in=self.ids).values_list("company", "value"):
            self.numbers[pk].append(value)
        self.taken |= set(found.filter(value__in=values).values_list("jurisdiction__code", "value"))

    def compare(self) -> None:
        for company in self.companies:
            record = self.records.get(company.lei or "")
            if record is None:
                self._tell(Outcome.ABSENT, company, f"There is no record of the LEI {company.lei}.")
            else:
                self._compare(company, record)

    def _compare(self, company: Company, record: LeiRecord) -> None:
        citation = self.citations.get(company.pk)
        if citation and citation.read_on and citation.read_on > self.day:
            self._tell(Outcome.NEWER, company, f"That of {citation.read_on} says what holds.")
            return
        if waits := self._why_it_waits(company, record):
            self._tell(Outcome.WAITING, company, waits)
            return
        done = Completion(company, record, cites=["lei"], citation=citation)
        self._tell_status(company, record)
        self._compare_name(done)
        for name, told in PLACES.items():
            self._compare_place(done, name, getattr(record, told))
        self._compare_number(done)
        self.checked.completions.append(done)
        told = ", ".join(sorted([*done.values, *(["identifiers"] if done.number else [])]))
        if done.completes:
            self._tell(Outcome.COMPLETED, company, f"{told} from the record of {record.lei}.")
        else:
            self._tell(Outcome.CONFIRMED, company, f"{', '.join(sorted(done.cites))} as in the record of {record.lei}.")

    def _why_it_waits(self, company: Company, record: LeiRecord) -> str:
        if record.status not in STANDING:
            return f"The registration of {record.lei} is {record.status or 'without a status'}."
        if not self._agree(self.names[company.pk], record.names):
            return f"{record.lei} is the LEI of “{record.legal_name}”; none of our names is one of its names."
        return ""

    def _agree(self, ours: Iterable[str], theirs: Iterable[str]) -> bool:
        return bool({self.folded[name] for name in ours} & {self.folded[name] for name in theirs} - {""})

    def _tell_status(self, company: Company, record: LeiRecord) -> None:
        if record.status == "LAPSED":
            self._tell(Outcome.CONTRADICTED, company, f"The registration of {record.lei} is LAPSED.")
        if record.entity_status != "ACTIVE":
            status = record.entity_status or "without a status"
            self._tell(Outcome.CONTRADICTED, company, f"The entity of {record.lei} is {status}.")

    def _compare_name(self, done: Completion) -> None:
        ours, theirs = done.company.legal_name, done.record.legal_name
        if ours and self._agree([ours], [theirs]):
            done.cites.append("legal_name")
        elif ours:
            self._tell(Outcome.CONTRADICTED, done.company, f"legal_name: we say “{ours}”, GLEIF “{theirs}”.")
        elif wrong := misfit("company", "legal_name", theirs):
            self._tell(Outcome.WAITING, done.company, f"legal_name: GLEIF says “{theirs}”. {wrong}")
        else:
            self._complete(done, "legal_name", theirs)

    def _compare_place(self, done: Completion, name: str, code: str) -> None:
        ours: Jurisdiction | None = getattr(done.company, name)
        if not code:
            return
        if ours and _same_place(ours.code, code):
            done.cites.append(name)
        elif ours:
            self._tell(Outcome.CONTRADICTED, done.company, f"{name}: we say {ours.code}, GLEIF {code}.")
        elif theirs := self._place(code):
            self._complete(done, name, theirs)
        else:
            self._tell(Outcome.WAITING, done.company, f"{name}: GLEIF says {code}, and we have no such jurisdiction.")

    def _place(self, code: str) -> Jurisdiction | None:
        """The jurisdiction itself; where we keep no subdivisions of the country, the country."""
        return self.jurisdictions.get(code) or self.jurisdictions.get(code.partition("-")[0])

    def _complete(self, done: Completion, name: str, value: str | Jurisdiction) -> None:
        if (done.company.pk, name) in self.emptied:
            self._tell(Outcome.CONTRADICTED, done.company, f"{name}: an editor has emptied it, GLEIF says “{value}”.")
        else:
            done.values[name] = value
            done.cites.append(name)

    def _compare_number(self, done: Completion) -> None:
        record, have = done.record, self.numbers[done.company.pk]
        place = self._place(record.jurisdiction)
        if not record.number or record.authority in NO_AUTHORITY or place is None:
            return
        if have and _plain(record.number) in map(_plain, have):
            done.cites.append("identifiers")
        elif have:
            said = f"we say {', '.join(have)}, GLEIF {record.number} ({record.authority})"
            self._tell(Outcome.CONTRADICTED, done.company, f"company register: {said}.")
        elif (place.code, record.number) in self.taken or len(record.number) > 60:
            said = f"GLEIF says {record.number}, which another company of ours has, or which is too long"
            self._tell(Outcome.WAITING, done.company, f"company register: {said}.")
        else:
            self._give_number(done, place)

    def _give_number(self, done: Completion, place: Jurisdiction) -> None:
        scheme = CompanyIdentifier.Scheme.COMPANY_REGISTER
        done.number = CompanyIdentifier(
            company=done.company, scheme=scheme, jurisdiction=place, value=done.record.number
        )
        done.cites.append("identifiers")
        self.taken.add((place.code, done.record.number))

    def _tell(self, outcome: Outcome, company: Company, sentence: str) -> None:
        self.checked.tell(outcome, company.slug, sentence)


def _same_place(ours: str, theirs: str) -> bool:
    """A country and its subdivision do not contradict each other; two subdivisions do."""
    return ours == theirs or (
        ours.partition("-")[0] == theirs.partition("-")[0] and not ("-" in ours and "-" in theirs)
    )


def _plain(number: str) -> str:
    """A number of a register without case, spaces and punctuation, as `models.identities.Numbered`."""
    return "".join(character for character in number.lower() if character.isascii() and character.isalnum())
