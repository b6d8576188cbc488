import re
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from regulations.models import Topic

pytestmark = pytest.mark.django_db

TOPICS = "topics: [{slug: custody, name: Custody, kind: activity}, {slug: kyc, name: Identification, kind: theme}]"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "topics.yaml").write_text(TOPICS)
    return tmp_path


def run(*arguments, **options):
    output = StringIO()
    call_command("load_knowledge", *map(str, arguments), stdout=output, **options)
    return re.sub(r"\d+\.\d s", "0.1 s", output.getvalue())


def test_it_ends_with_one_sentence_with_counts(folder):
    assert run(folder) == "Loaded 2 rows: 2 added, 0 changed, 0 removed, 0 unchanged in 0.1 s.\n"


def test_a_second_run_says_that_nothing_changed(folder):
    run(folder)

    assert run(folder) == "Loaded 2 rows: 0 added, 0 changed, 0 removed, 2 unchanged in 0.1 s.\n"


def test_a_dry_run_says_what_would_change_and_changes_nothing(folder):
    told = run(folder, "--dry-run")

    assert told == "Would load 2 rows: 2 added, 0 changed, 0 removed, 0 unchanged in 0.1 s.\n"
    assert not Topic.objects.exists()


def test_a_refusal_names_each_fault_and_how_many(folder):
    (folder / "topics.yaml").write_text(TOPICS.replace("theme", "them").replace("activity", "acts"))

    with pytest.raises(CommandError) as error:
        run(folder)

    assert str(error.value).splitlines() == [
        "Nothing was loaded: 2 faults.",
        "  topics.yaml:1: topics custody: kind: “acts” is none of activity, theme.",
        "  topics.yaml:1: topics kyc: kind: “them” is none of activity, theme. Is “theme” meant?",
    ]


def test_a_long_load_shows_how_far_it_is(folder, monkeypatch):
    monkeypatch.setattr("regulations.management.commands.load_knowledge.PATIENCE", -1)

    assert run(folder).splitlines()[0] == "       2 topics"


def test_it_is_silent_when_asked_to_be(folder):
    assert run(folder, verbosity=0) == ""


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(CommandError, match=r"there are no \*\.yaml files here"):
        run(tmp_path / "nowhere")
