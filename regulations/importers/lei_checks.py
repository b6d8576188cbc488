"""A check of our LEIs against a golden copy of GLEIF: first told, then published in one transaction."""

from datetime import date

from regulations.importers.gleif import Sifted
from regulations.importers.lei_companies import Comparison
from regulations.importers.lei_proposals import check_listings, check_proposals
from regulations.importers.leis import READER, Checked, Completion, Outcome, Wanted
from regulations.models import Change, Citation, Company, CompanyIdentifier, Organisation, Ruling, Source, change
from regulations.models.search import search_refreshed_at_end

BATCH = 1000
SITE = "https://www.gleif.org"
ADDRESS = f"{SITE}/en/lei-data/gleif-golden-copy/download-the-golden-copy"


def check(asked: Wanted, sifted: Sifted, day: date) -> Checked:
    """Compare GLEIF's records of the day with ours, as ours are now. Writes nothing.

    To be called within a transaction, until whose end our companies are locked.
    """
    checked = Checked()
    Comparison(sifted.by_lei, day, checked).compare()
    check_proposals(asked.proposals, sifted.by_lei, day, checked)
    check_listings(asked.listings, sifted.by_lei, checked)
    for name, records in sorted(sifted.by_name.items()):
        for slug in sorted(asked.nameless.get(name, ())):
            for record in records:
                checked.tell(Outcome.PROPOSED, slug, f"“{record.legal_name}” has the LEI {record.lei}.")
    return checked


def publish(checked: Checked, day: date) -> int:
    """Write what a check comes to, within the caller's transaction; how many companies were written to.

    A company that is completed is an import, one that is only confirmed a verification. Each has one citation of the
    golden copy, which moves on to the newest; one that says so already is not written again.
    """
    due = [each for each in checked.completions if each.completes or not _is_cited(each, day)]
    reason = f"GLEIF golden copy of {day}"
    with search_refreshed_at_end():
        if due:
            with change(actor=READER, kind=Change.Kind.IMPORT, reason=reason):
                source = _source(day)
                completed = [each for each in due if each.completes]
                _complete(completed)
                _cite(completed, source, day)
            with change(actor=READER, kind=Change.Kind.VERIFICATION, reason=reason):
                _cite([each for each in due if not each.completes], source, day)
        with change(actor=READER, kind=Change.Kind.IMPORT, reason=reason):
            Ruling.objects.bulk_create(checked.rulings, batch_size=BATCH)
    return len(due)


def _slug(day: date) -> str:
    return f"gleif-golden-copy-{day}"


def _source(day: date) -> Source:
    publisher, _ = Organisation.objects.get_or_create(
        slug="gleif",
        defaults={
            "name": "Global Legal Entity Identifier Foundation",
            "abbreviation": "GLEIF",
            "kind": Organisation.Kind.PUBLISHER,
            "website": SITE,
        },
    )
    found, _ = Source.objects.get_or_create(
        slug=_slug(day),
        defaults={
            "title": f"GLEIF golden copy of legal entity identifiers, {day}",
            "url": ADDRESS,
            "kind": Source.Kind.REGISTER,
            "publisher": publisher,
            "published_on": day,
        },
    )
    return found


def _complete(done: list[Completion]) -> None:
    for each in done:
        for name, value in each.values.items():
            setattr(each.company, name, value)
    changed = [each.company for each in done if each.values]
    names = sorted({name for each in done for name in each.values})
    if names:
        Company.objects.bulk_update(changed, names, batch_size=BATCH)
    numbers = [each.number for each in done if each.number]
    CompanyIdentifier.objects.bulk_create(numbers, batch_size=BATCH)


def _is_cited(done: Completion, day: date) -> bool:
    said = done.citation
    return bool(
        said and said.source.slug == _slug(day) and said.fields == sorted(done.cites) and said.locator == _locator(done)
    )


def _cite(done: list[Completion], source: Source, day: date) -> None:
    new: list[Citation] = []
    moved: list[Citation] = []
    for each in done:
        citation = each.citation or Citation(company=each.company, method=Citation.Method.IMPORT, read_by=READER)
        citation.source, citation.read_on = source, day
        citation.fields, citation.locator = sorted(each.cites), _locator(each)
        (moved if each.citation else new).append(citation)
    Citation.objects.bulk_create(new, batch_size=BATCH)
    Citation.objects.bulk_update(moved, ["source", "read_on", "fields", "locator"], batch_size=BATCH)


def _locator(done: Completion) -> str:
    return f"LEI {done.record.lei}"
