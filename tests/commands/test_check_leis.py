from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from regulations.models import Citation
from tests.factories import make_company, make_jurisdiction
from tests.importers.golden_copy import golden_copy, record
from tests.importers.ledger import ALPHA, BETA

pytestmark = pytest.mark.django_db


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "20260209-0800-gleif-goldencopy-lei2-golden-copy.csv"
    path.write_bytes(golden_copy(record(ALPHA), record(BETA)))
    return path


def run(*arguments, **options):
    output = StringIO()
    call_command("check_leis", *map(str, arguments), stdout=output, **options)
    return output.getvalue().splitlines()


def test_it_tells_what_it_would_write_and_writes_nothing(file):
    make_jurisdiction(code="DE")
    make_company(slug="alpha", name="Alpha", lei=ALPHA)

    assert run(file) == [
        f"completed: alpha: headquarters, identifiers, incorporated_in, legal_name from the record of {ALPHA}.",
        "2 rows read, 1 with a LEI that we ask for: 0 confirmed, 1 completed, 0 contradicted, 0 waiting for a person, "
        "0 not in GLEIF, 0 checked against a newer golden copy, 0 proposed, 0 ruled. "
        "Nothing was written; --publish writes it.",
    ]
    assert not Citation.objects.exists()


def test_with_publish_it_writes(file):
    make_jurisdiction(code="DE")
    make_company(slug="alpha", name="Alpha", lei=ALPHA)

    assert run(file, "--publish")[-1].endswith(" Companies written to: 1; cells ruled on: 0.")
    assert run(file, "--publish")[-1].endswith(" Companies written to: 0; cells ruled on: 0.")
    assert Citation.objects.count() == 1


def test_the_day_is_asked_for_if_the_name_does_not_tell_it(file):
    nameless = file.rename(file.with_name("copy.csv"))

    with pytest.raises(CommandError, match="Of which day"):
        run(nameless)

    assert "2 rows read" in run(nameless, "--on", "2026-02-09")[-1]


def test_a_day_to_come_is_refused(file):
    with pytest.raises(CommandError, match="still to come"):
        run(file, "--on", "2999-01-01")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"PK\x03\x04", "Nothing was checked. The file is a zip archive"),
        (b"LEI,Entity.LegalName\nx,y\n", "Nothing was checked. The file is no golden copy of LEI records: it lacks"),
    ],
)
def test_what_is_no_golden_copy_is_told_in_a_sentence(file, content, sentence):
    file.write_bytes(content)

    with pytest.raises(CommandError, match=sentence):
        run(file)


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(CommandError, match="There is no file"):
        run(tmp_path / "20260209.csv")
