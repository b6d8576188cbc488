import pytest

from regulations.importers.faults import RefusedError
from regulations.importers.yaml_files import read_folder


@pytest.fixture
def write(tmp_path):
    """Write a file into the folder of the test, and return the folder."""

    def write_file(content, name="facts.yaml"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return tmp_path

    return write_file


def reasons(folder):
    with pytest.raises(RefusedError) as refused:
        read_folder(folder)
    return [str(fault) for fault in refused.value.faults]


def test_every_value_is_read_as_the_text_that_stands_there(write):
    folder = write("places: [{code: NO, on: yes, since: 2025-02-19, month: 2025-02, share: 1.10, octal: 010}]")

    [document] = read_folder(folder)

    assert document.entry == {
        "places": [
            {"code": "NO", "on": "yes", "since": "2025-02-19", "month": "2025-02", "share": "1.10", "octal": "010"}
        ]
    }


def test_files_of_subfolders_are_read_in_the_order_of_their_paths(write):
    write("b: [x]", "b.yaml")
    folder = write("a: [x]", "a/z.yaml")

    assert [document.file for document in read_folder(folder)] == ["a/z.yaml", "b.yaml"]


def test_an_entry_knows_its_line(write):
    folder = write("places:\n  - code: HK\n\n  - code: SG\n")

    [document] = read_folder(folder)

    assert [place.line for place in document.entry["places"]] == [2, 4]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("places:\n  - code: HK\n    code: SG\n", "facts.yaml:3: “code” is given twice in one mapping"),
        ("places: []\nplaces: []\n", "facts.yaml:2: “places” is given twice in one mapping"),
        ("a: &x [1]\nb: *x\n", "facts.yaml:1: anchors and aliases are not used: write the value out"),
        ("a: !!int 3\n", "facts.yaml:1: the tag tag:yaml.org,2002:int is not used: write the value only"),
        ("? [a, b]\n: c\n", "facts.yaml:1: a key must be a plain word"),
        ("- a\n- b\n", "facts.yaml:1: must hold lists of records, each under its kind"),
        ("", "facts.yaml:1: must hold lists of records, each under its kind"),
        ("a: 1\n---\na: 2\n", "facts.yaml:2: is not well-formed YAML: but found another document"),
    ],
)
def test_what_could_hide_a_mistake_is_refused_with_file_line_and_reason(write, content, reason):
    assert reasons(write(content)) == [reason]


@pytest.mark.parametrize("content", ["a: [b", "a: {b: c", "a: 'b", "\ta: b", "a: b: c", b"a: \xff\xfe", b"a: \x00"])
def test_what_is_no_yaml_is_refused(write, content):
    [reason] = reasons(write(content))

    assert reason.startswith("facts.yaml")
    assert "is not well-formed YAML" in reason


def test_the_faults_of_all_files_are_told_at_once(write):
    write("- a", "one.yaml")
    folder = write("a: [", "two.yaml")

    assert [reason.partition(":")[0] for reason in reasons(folder)] == ["one.yaml", "two.yaml"]


def test_a_folder_without_files_is_refused(tmp_path):
    assert reasons(tmp_path) == [f"{tmp_path}: there are no *.yaml files here"]


def test_a_file_whose_name_would_leave_it_out_is_refused(write):
    write("topics: []", "topics.yaml")
    folder = write("topics: []", "more.yml")

    assert reasons(folder) == ["more.yml: would not be read: name the file .yaml"]


def test_a_file_that_nests_without_end_is_refused(write):
    [reason] = reasons(write("a: " + "[" * 20_000))

    assert reason.startswith("facts.yaml")
