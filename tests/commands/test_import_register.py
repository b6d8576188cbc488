"""An extract is imported by hand: it is shown first, and the exit code says whether it could be published."""

from datetime import date

import pytest
from django.core.management import CommandError, call_command

from regulations.importers import registers
from regulations.management.commands.import_register import day_of
from regulations.models import Company, ImportRun
from tests.importers.ledger import BETA, as_file, ledger, row

__all__ = ["ledger"]


@pytest.fixture
def importing(ledger, tmp_path, monkeypatch, capsys):
    """Write a file of rows and import it as the ledger of a day; what the command prints."""
    monkeypatch.setitem(registers.REGISTERS, ledger.key, ledger)

    def run(*rows, name="ledger-20260101.csv", content=None, **options):
        file = tmp_path / name
        file.write_bytes(as_file(*rows) if content is None else content)
        call_command("import_register", ledger.key, str(file), verbosity=0, **options)
        return capsys.readouterr().out

    return run


def test_a_file_is_shown_field_by_field_and_nothing_published(importing):
    told = importing(row("Alpha AG", activities="juggling"))

    assert "5 cells = 3 kept + 1 normalised + 1 quarantined" in told
    assert "row 1, activities: 'juggling' – juggling is not known." in told
    assert "Add company alpha (row 1): " in told
    assert "name: nothing → Alpha AG" in told
    assert told.strip().endswith("and published nothing: 1 rows (1 adds records), 1 cells quarantined.")
    assert not Company.objects.exists()


def test_a_file_is_published_if_asked_for(importing):
    told = importing(row("Alpha AG"), publish=True)

    assert told.splitlines()[-1].startswith("Published run ")
    assert ImportRun.objects.get().published_by == "import_register"
    assert Company.objects.get().name == "Alpha AG"


def test_a_file_that_is_published_already_is_told(importing):
    importing(row("Alpha AG"), publish=True)

    assert importing(row("Alpha AG"), publish=True) == (
        "This extract of xx-ledger is published already, and nothing would change.\n"
    )
    assert ImportRun.objects.count() == 1


def test_a_held_run_fails_and_can_be_released_with_a_reason(importing):
    importing(row("Alpha AG"), publish=True)
    shrunk = {"rows": [row("Beta AG", BETA)], "name": "ledger-2026-01-08.csv", "publish": True}

    with pytest.raises(
        CommandError, match=r"^Nothing was published\. Run \d+ is held: Of the 1 entries of 2026-01-01, 1 are"
    ):
        importing(*shrunk.pop("rows"), **shrunk)
    assert Company.objects.count() == 1
    importing(row("Beta AG", BETA), **shrunk, release="The FSA closed Alpha.")

    run = ImportRun.objects.get(published_at__isnull=False, extract__on=date(2026, 1, 8))
    assert (run.released_by, run.release_reason) == ("import_register", "The FSA closed Alpha.")


def test_a_held_run_fails_also_if_it_was_only_to_be_shown(importing):
    importing(row("Alpha AG"), publish=True)

    with pytest.raises(CommandError, match="is held"):
        importing(row("Beta AG", BETA), name="ledger-2026-01-08.csv")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"PK\x03\x04rest", "a zip archive or a workbook"),
        (b"\x1f\x8brest", "a gzip archive"),
        (b"<!DOCTYPE html><html>", "a web page"),
        (as_file(row()).replace(b"AG", b"A\0"), "a NUL byte in line 2"),
        (as_file(row("x" * 5 * 2**20)), "field larger than field limit"),
        (as_file(row()).replace(b",", b";"), "separated by “;” where commas are expected"),
        (as_file(row()).replace(b"Alpha", b"\xc4lpha"), "not encoded in UTF-8: byte 0xc4 in line 2"),
        (b"", "The file is empty."),
    ],
)
def test_what_is_no_register_is_refused_in_a_sentence(importing, content, sentence):
    with pytest.raises(CommandError, match=sentence):
        importing(content=content, publish=True)

    assert not Company.objects.exists()


def test_a_file_of_a_gigabyte_is_not_even_read(importing, tmp_path, ledger):
    file = tmp_path / "ledger-20260101.csv"
    with file.open("wb") as sparse:
        sparse.truncate(2**30)

    with pytest.raises(CommandError, match="The file has 1,024 MiB; a register has at most 64"):
        call_command("import_register", ledger.key, str(file))


def test_a_file_whose_name_has_no_day_needs_one(importing):
    with pytest.raises(CommandError, match=r"The name ledger\.csv tells no day: say with --on"):
        importing(row(), name="ledger.csv")
    importing(row(), name="ledger.csv", on=date(2026, 1, 1))


def test_a_day_to_come_is_refused(importing):
    with pytest.raises(CommandError, match="still to come"):
        importing(row(), name="ledger-21991231.csv".replace("2199", "2099"))


@pytest.mark.parametrize("name", ["CASP20260209.csv", "casp-2026-02-09.csv", "20260209_20260209.csv"])
def test_the_day_of_an_extract_is_read_from_its_name(name, tmp_path):
    assert day_of(tmp_path / name) == date(2026, 2, 9)


@pytest.mark.parametrize("name", ["CASP.csv", "CASP20260209-20260210.csv", "CASP20261332.csv", "1202602091.csv"])
def test_a_name_that_tells_no_day_or_two_is_refused(name, tmp_path):
    with pytest.raises(ValueError, match=r"day|month"):
        day_of(tmp_path / name)
