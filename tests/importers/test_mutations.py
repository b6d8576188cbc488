"""Whatever is done to a file, nothing is published wrongly: it is held, or what we say stays as it was."""

from datetime import date
from itertools import combinations

import pytest
from django.db import transaction

from regulations.importers.esma import casp
from regulations.importers.files import RefusedFileError
from regulations.importers.runs import preview, publish
from regulations.models import Authorisation, Company
from tests.importers.esma.made_up import as_file, rows

pytestmark = pytest.mark.usefixtures("knowledge")

REGISTER = casp.REGISTER
COLUMNS = list(REGISTER.columns)
PUBLISHED, NEXT = date(2026, 2, 2), date(2026, 2, 9)
COUNT = 60
# Both hold free text that becomes nothing of ours but the country at the end of an address.
ALIKE = {("ae_address", "ac_comments")}


@pytest.fixture
def made(knowledge):
    """The rows of an extract that is published."""
    found = rows(COUNT, COLUMNS)
    run = preview(REGISTER, as_file(found, COLUMNS), "CASPS.csv", PUBLISHED, "a test")
    publish(REGISTER, run.pk, "a test")
    return found


def said():
    """All that we say of the firms and their authorisations."""
    companies = Company.objects.filter(register_entries__register=REGISTER.key).order_by("slug").distinct()
    held = Authorisation.objects.filter(register_entries__register=REGISTER.key).order_by("key")
    return (
        list(companies.values("slug", "name", "legal_name", "lei", "website", "headquarters", "incorporated_in")),
        [sorted(company.names.values_list("name", flat=True)) for company in companies],
        list(held.values("key", "regulator", "kind", "granted_on", "ended_on", "end_reason")),
        [sorted(topic.slug for topic in each.activities.all()) for each in held],
        [sorted(place.code for place in each.valid_in.all()) for each in held],
    )


def outcome(content):
    """Import the next extract: “held” or “refused”, or what we say after it was published."""
    try:
        with transaction.atomic():
            run = preview(REGISTER, content, "CASPS.csv", NEXT, "a test")
            if run.holds:
                return "held"
            publish(REGISTER, run.pk, "a test")
            after = said()
            transaction.set_rollback(True)
            return after
    except RefusedFileError:
        return "refused"


def mapped(made, change, columns=COLUMNS):
    return as_file(
        [{column: change(cell) if column in columns else cell for column, cell in each.items()} for each in made],
        COLUMNS,
    )


def test_two_columns_that_are_swapped_are_noticed(made):
    wrong = []
    before = said()
    for one, other in combinations(COLUMNS, 2):
        swapped = [{**each, one: each[other], other: each[one]} for each in made]
        after = outcome(as_file(swapped, COLUMNS))
        if after != "held" and after != before:
            wrong.append((one, other))

    assert set(wrong) <= ALIKE


@pytest.mark.parametrize("share", [0.5, 0.3, 0.9])
def test_a_file_that_is_cut_is_held(made, share):
    content = as_file(made, COLUMNS)

    assert outcome(content[: int(len(content) * share)]) == "held"


def test_a_file_that_is_cut_between_two_rows_is_held(made):
    assert outcome(as_file(made[: COUNT // 2], COLUMNS)) == "held"


def test_a_file_without_three_rows_in_ten_is_held(made):
    assert outcome(as_file([each for place, each in enumerate(made) if place % 10 > 2], COLUMNS)) == "held"


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "utf-16", "utf-16-le", "cp037"])
def test_a_file_in_another_encoding_is_held_or_refused(made, encoding):
    assert outcome(as_file(made, COLUMNS, encoding)) in ("held", "refused")


def test_letters_that_were_encoded_twice_do_not_reach_our_records(made):
    twice = as_file(made, COLUMNS, "utf-8").decode("latin-1").encode()

    assert outcome(twice) in ("held", said())


@pytest.mark.parametrize("number", [0, 7, 59])
def test_a_row_that_is_doubled_changes_nothing(made, number):
    assert outcome(as_file([*made, made[number]], COLUMNS)) == said()


def test_rows_in_another_order_change_nothing(made):
    assert outcome(as_file(made[::-1], COLUMNS)) == said()


def test_columns_in_another_order_change_nothing(made):
    assert outcome(as_file(made, COLUMNS[::-1])) == said()


CLASSES = {
    "digits become others": str.maketrans("0123456789", "1234567890"),
    "digits become letters": str.maketrans("0123456789", "OIZEASGTBP"),
    "letters become small": str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz"),
    "letters become capitals": str.maketrans("abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
    "letters become Cyrillic": str.maketrans("AaBCcEeHKMOoPpTXxy", "АаВСсЕеНКМОоРрТХху"),
    "separators become others": str.maketrans("|/.", ";-,"),
    "spaces become others": str.maketrans(" ", "\xa0"),
    "letters become damaged": str.maketrans("aeiou", "�����"),
}


@pytest.mark.parametrize("name", CLASSES)
def test_characters_of_a_class_that_are_exchanged_are_noticed(made, name):
    before, wrong = said(), []
    for columns in (COLUMNS, *([column] for column in COLUMNS)):
        after = outcome(mapped(made, lambda cell: cell.translate(CLASSES[name]), columns))
        if after not in ("held", before) and not _is_respelt(after, before, columns):
            wrong.append(columns)

    assert not wrong


def _is_respelt(after, before, columns):
    """Names and addresses may be spelt anew by the register: they are then as it spells them, and nothing else is."""
    spelt = {"ae_lei_name", "ae_commercial_name", "ae_website", "ae_address"}
    return after[2:] == before[2:] and set(columns) <= spelt
