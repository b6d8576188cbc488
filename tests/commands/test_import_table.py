from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from regulations.models import Company
from tests.factories import make_company
from tests.importers.test_workbooks import as_workbook, packed

pytestmark = pytest.mark.django_db


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "firms.csv"
    path.write_text("slug,name\nalpha,Alpha\nbeta,Beta Inc.\n")
    make_company(slug="beta", name="Beta")
    return path


def run(*arguments, **options):
    output = StringIO()
    call_command("import_table", *map(str, arguments), stdout=output, **options)
    return output.getvalue().splitlines()


def test_it_shows_what_it_would_write_and_writes_nothing(file):
    assert run("companies", file) == [
        "add: alpha: slug: “” → “alpha”",
        "add: alpha: name: “” → “Alpha”",
        "change: beta: name: “Beta” → “Beta Inc.”",
        "uncited: alpha names no source",
        "Would write: 1 added, 1 changed, 0 unchanged; 0 citations added, 1 added records without a source. "
        "Nothing was written; --publish writes it.",
    ]
    assert Company.objects.get().name == "Beta"


def test_with_publish_and_reason_it_writes(file):
    run("companies", file, "--publish", "--reason", "the firm was renamed", "--kind", "world")

    assert set(Company.objects.values_list("name", flat=True)) == {"Alpha", "Beta Inc."}


@pytest.mark.parametrize("reason", ["", " ", "x" * 501])
def test_publishing_needs_a_reason_that_fits(file, reason):
    with pytest.raises(CommandError, match="reason"):
        run("companies", file, "--publish", "--reason", reason)

    assert Company.objects.count() == 1


def test_a_workbook_is_read_like_a_csv_file(file):
    file.write_bytes(as_workbook(["slug", "name", "founded_on"], ["alpha", "Alpha", 2020]))

    assert run("companies", file)[2] == "add: alpha: founded_on: “” → “2020”"


def test_faults_of_cells_and_of_rows_are_told_together(file):
    file.write_bytes(as_workbook(["slug", "name", "website"], ["alpha", "Alpha", "=1+1"], ["Not a key", "Beta", ""]))

    with pytest.raises(CommandError) as error:
        run("companies", file)

    head, *faults = str(error.value).splitlines()
    assert head == "Nothing was written: 2 faults."
    assert faults[0] == "  firms.csv:2: website: is a formula: put in its place what it comes to"
    assert faults[1].startswith("  firms.csv:3: companies Not a key: slug: ")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"slug;name\nalpha;Alpha\n", "separated by “;”"),
        (b"slug,name\nalpha,\0\n", "NUL byte in line 2"),
        (b"slug,name\nalpha," + b"x" * 5 * 2**20, "field larger"),
        (packed(firms="slug"), "a zip archive and no workbook"),
        (b"slug,name\nalpha,\xe9\n", "not encoded in UTF-8"),
        (b"", "The file is empty"),
    ],
)
def test_a_damaged_file_is_told_in_a_sentence(file, content, sentence):
    file.write_bytes(content)

    with pytest.raises(CommandError, match=rf"Nothing was written\. .*{sentence}"):
        run("companies", file)


def test_an_unknown_collection_is_told(file):
    with pytest.raises(CommandError, match="Is “companies” meant"):
        run("companys", file)


def test_of_many_lines_the_first_are_shown(file):
    file.write_text("slug,name\n" + "".join(f"firm-{number},Firm\n" for number in range(40)))

    assert "... and 70 more lines; --all shows them." in run("companies", file)
    assert len(run("companies", file, "--all")) == 121
