"""What every resource promises: the shape of its answers, and that no question of it can be misread."""

from urllib.parse import quote, urlsplit

import pytest
from django.contrib.auth.models import User

from kbase.reading.questions import DETAIL_PARAMETERS, LIST_PARAMETERS
from kbase.reading.values import MOST_ITEMS, MOST_PARAMETERS, read_bool, read_date, read_keys, read_number, read_text
from regulations.api.policies import PolicyResource
from regulations.api.urls import RESOURCES
from tests.api.asking import PROBLEM, ROOT, address, ask, faults, get, problem, refusal
from tests.factories import make_company, make_policy, make_topic

every_resource = pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource.collection)


def filters(resource):
    return resource.filterset_class.base_filters


def parameters(resource):
    """All parameters of a list."""
    return [*filters(resource), *LIST_PARAMETERS]


def misread(client, path, question, name):
    """What is wrong with the answer to a question that has to be refused for the parameter `name`; None if nothing."""
    answer = client.get(ROOT + path + "?" + question)
    if answer.status_code != 400 or answer["Content-Type"] != PROBLEM:
        return f"{question[:60]}: {answer.status_code} {answer.content[:80]!r}"
    told = {fault["parameter"] for fault in answer.json()["errors"]}
    return None if name in told else f"{question[:60]}: {told}"


def assert_refused(client, resource, questions, path=""):
    """Have every question (parameter and raw query) refused, naming the parameter."""
    wrong = [misread(client, f"{resource.collection}/{path}", question, name) for name, question in questions]
    assert wrong
    assert not any(wrong), [each for each in wrong if each]


# Shape


@every_resource
def test_list_has_its_envelope_and_its_rows_are_found_at_their_addresses(knowledge, client, resource):
    answer = ask(client, f"{resource.collection}/", page_size=10, on="2025-06-01")

    assert list(answer) == ["count", "next", "previous", "on", "known_at", "query", "results"]
    assert (answer["on"], answer["known_at"], answer["previous"]) == ("2025-06-01", None, None)
    assert answer["results"]
    for row in answer["results"]:
        record = client.get(row["url"], {"on": "2025-06-01"}).json()
        assert (record["on"], record["known_at"]) == ("2025-06-01", None)
        assert row.items() <= record.items()
        assert urlsplit(row["url"]).path == f"{ROOT}{resource.collection}/{record[resource.key]}/"


@every_resource
def test_small_objects_lead_to_the_records_that_they_name(knowledge, client, resource):
    [row] = ask(client, f"{resource.collection}/", page_size=1)["results"]

    for small in small_objects(client.get(row["url"]).json()):
        record = client.get(small["url"]).json()
        assert {name: value for name, value in small.items() if name in record and name != "status"}.items() <= (
            record.items()
        )


def small_objects(value):
    if isinstance(value, list):
        return [found for each in value for found in small_objects(each)][:20]
    if not isinstance(value, dict):
        return []
    below = [found for each in value.values() for found in small_objects(each)][:20]
    return [{"url": value["url"]}, *below] if "url" in value else below


@every_resource
def test_empty_list_is_an_answer(db, client, resource):
    answer = ask(client, f"{resource.collection}/")

    assert (answer["count"], answer["next"], answer["results"]) == (0, None, [])


@every_resource
def test_every_field_can_be_shown_alone_and_left_out(knowledge, client, resource):
    [whole] = ask(client, f"{resource.collection}/", page_size=1)["results"]

    for name in whole:
        [alone] = ask(client, f"{resource.collection}/", page_size=1, fields=name)["results"]
        [without] = ask(client, f"{resource.collection}/", page_size=1, omit=name)["results"]
        assert alone == {name: whole[name]}
        assert without == {other: value for other, value in whole.items() if other != name}


@every_resource
def test_record_shows_as_many_fields_as_are_left(knowledge, client, resource):
    [row] = ask(client, f"{resource.collection}/", page_size=1)["results"]

    assert client.get(row["url"], {"omit": ",".join(client.get(row["url"]).json())}).json() == {}


# Names


@every_resource
def test_misspelt_parameter_is_refused_with_the_nearest(db, client, resource):
    for name in parameters(resource):
        misspelt = name[:1] + "z" + name[1:]
        [fault] = refusal(client, f"{resource.collection}/", **{misspelt: "1"})
        assert (fault["parameter"], fault["code"], fault["nearest"]) == (misspelt, "unknown", name)
        assert name in fault["allowed"]


@every_resource
def test_misspelt_parameter_of_a_record_is_refused_with_the_nearest(db, client, resource):
    for name in DETAIL_PARAMETERS:
        [fault] = refusal(client, f"{resource.collection}/x/", **{name[:1] + "z" + name[1:]: "1"})
        assert fault["nearest"] == name


@every_resource
def test_parameter_that_other_apis_have_is_not_ignored(db, client, resource):
    names = ["format", "limit", "offset", "search", "_", "utm_source", "id", "pk"]

    assert_refused(client, resource, [(name, f"{name}=1") for name in names])


@every_resource
def test_filter_of_the_list_is_no_parameter_of_a_record(db, client, resource):
    for name in filters(resource):
        [fault] = refusal(client, f"{resource.collection}/x/", **{name: "1"})
        assert fault["code"] == "unknown"


@every_resource
def test_unknown_name_is_refused_with_what_is_possible(db, client, resource):
    for name in ("fields", "omit", "expand", "ordering"):
        [fault] = refusal(client, f"{resource.collection}/", **{name: "nonsense"})
        assert (fault["parameter"], fault["code"]) == (name, "unknown")
        assert fault.get("allowed") or name == "expand"


@every_resource
@pytest.mark.parametrize("path", ["", "x/"])
def test_odd_selection_is_refused(db, client, resource, path):
    odd = ["url,", ",url", ".", "url.", "url.x", "url,url", "a.b.c.d.e", "URL", " url", "url "]

    questions = [(name, f"{name}={quote(value)}") for name in ("fields", "omit", "expand") for value in odd]

    assert_refused(client, resource, questions, path)


@every_resource
def test_odd_ordering_is_refused(db, client, resource):
    key = resource.key
    odd = [f"{key},{key}", f"{key},-{key}", f"--{key}", f"{key},", f"+{key}", "-", "id", "pk", f"{key}__id", "?", "1"]

    assert_refused(client, resource, [("ordering", f"ordering={quote(value)}") for value in odd])


def test_all_that_is_wrong_is_told_at_once(db, client):
    told = refusal(
        client, "policies/", jurisdicton="HK", kind="lawn", on="yesterday", fields="titel", ordering="nope", page=0
    )

    assert {fault["parameter"] for fault in told} == {"jurisdicton", "kind", "on", "fields", "ordering", "page"}


# Values


@every_resource
def test_empty_value_is_refused(db, client, resource):
    assert_refused(client, resource, [(name, f"{name}=") for name in parameters(resource)])
    assert_refused(client, resource, [(name, name) for name in parameters(resource)])
    assert_refused(client, resource, [(name, f"{name}=") for name in DETAIL_PARAMETERS], path="x/")


@every_resource
def test_parameter_given_twice_is_refused(db, client, resource):
    assert_refused(client, resource, [(name, f"{name}=1&{name}=1") for name in parameters(resource)])
    assert_refused(
        client, resource, [(name, f"{name}=1&%{ord(name[0]):x}{name[1:]}=2") for name in parameters(resource)]
    )


@every_resource
def test_nul_is_refused(db, client, resource):
    assert_refused(client, resource, [(name, f"{name}=a%00b") for name in parameters(resource)])
    assert_refused(client, resource, [(name, f"{name}=a%00b") for name in DETAIL_PARAMETERS], path="x/")


def test_control_characters_are_refused(db, client):
    questions = [("title", f"title=a%{code:02x}b") for code in (*range(32), 127)]

    assert_refused(client, PolicyResource, questions)
    assert_refused(client, PolicyResource, [("no�me", "no%0Ame=1")])


@every_resource
def test_invalid_utf_8_is_refused(db, client, resource):
    assert_refused(client, resource, [(name, f"{name}=a%FF") for name in parameters(resource)])


@pytest.mark.parametrize("encoded", ["%C3", "%ED%A0%80", "%C0%AF", "%F8%88%80%80%80", "%zz", "%", "%4", "é", "한국"])
def test_what_is_no_encoded_utf_8_is_refused(db, client, encoded):
    assert_refused(client, PolicyResource, [("title", f"title=a{encoded}"), ("on", f"on={encoded}")])


@every_resource
def test_value_of_10000_characters_is_refused(db, client, resource):
    assert_refused(client, resource, [(name, f"{name}={'a' * 10_000}") for name in parameters(resource)])


@every_resource
def test_text_of_400_characters_is_the_longest(db, client, resource):
    texts = [name for name, each in filters(resource).items() if each.read is read_text]

    assert_refused(client, resource, [(name, f"{name}={'a' * 401}") for name in [*texts, "fields"]])
    for name in texts:
        assert ask(client, f"{resource.collection}/", **{name: "a" * 400})["count"] == 0


@every_resource
@pytest.mark.parametrize("number", ["9" * 1000, "-0." + "9" * 998])
def test_number_of_a_thousand_digits_is_refused(db, client, resource, number):
    names = [
        name for name in parameters(resource) if filters(resource).get(name) is None or takes_no_text(resource, name)
    ]

    assert_refused(client, resource, [(name, f"{name}={quote(number)}") for name in names])


def takes_no_text(resource, name):
    """Whether a filter takes neither free text nor keys of its own records, of which any number could be one."""
    each = filters(resource)[name]
    return each.read is not read_text and each.read is not read_keys


@every_resource
def test_malformed_value_is_refused_by_each_kind_of_parameter(db, client, resource):
    odd = {
        read_bool: ["1", "0", "True", "yes", "on", "null", "true,false", " true"],
        read_date: ["yesterday", "2025", "2025-1-1", "2025-02-30", "2025-13-01", "0000-01-01", "20250101", "2025-W01-1",
                    "2025-01-01T00:00", "01/02/2025", "2025-01-01,2025-01-02", "10000-01-01", "-2025-01-01", "２０２５-01-01"],
        read_number: ["many", "1,5", "1 000", "1e3", ".5", "5.", "+5", "--5", "1.2345678", "1" * 19, "0x1", "٣", "NaN", "Infinity", "1_000"],
    }  # fmt: skip
    questions = [
        (name, f"{name}={quote(value)}")
        for name, each in filters(resource).items()
        for value in odd.get(each.read, ["a,,b", ",", "a,", "a,a"] if each.is_list else [])
    ]
    questions += [("on", f"on={quote(value)}") for value in odd[read_date]]

    assert_refused(client, resource, questions)


@every_resource
def test_word_or_key_that_does_not_exist_is_refused(db, client, resource):
    lists = [name for name, each in filters(resource).items() if each.is_list and each.read is not read_keys]

    assert_refused(client, resource, [(name, f"{name}=no-such-thing") for name in lists] or [("on", "on=no")])
    assert_refused(client, resource, [(name, f"{name}=%27%22%3B--") for name in lists] or [("on", "on=no")])


@every_resource
def test_list_of_too_many_items_is_refused(db, client, resource):
    items = ",".join(str(number) for number in range(MOST_ITEMS + 1))

    lists = [name for name, each in filters(resource).items() if each.is_list]

    assert_refused(client, resource, [(name, f"{name}={items}") for name in lists])


def test_question_of_too_many_parameters_is_refused(db, client):
    query = "&".join(f"a{number}=1" for number in range(MOST_PARAMETERS + 1))

    [fault] = faults(client.get(f"{ROOT}policies/?{query}"), 400)

    assert fault["code"] == "out_of_range"


def test_unknown_key_is_refused_with_the_nearest(db, client):
    make_topic(slug="custody")
    make_policy(slug="eu-mica")

    [fault] = refusal(client, "policies/", topic="custdy")
    assert fault["nearest"] == "custody"
    [fault] = refusal(client, "milestones/", policy="EU-MICA")
    assert fault["nearest"] == "eu-mica"


# Contradictions


@every_resource
def test_contradictions_are_refused(db, client, resource):
    questions = [question for name in filters(resource) for question in contradictions(filters(resource), name)]

    assert_refused(client, resource, [*questions, ("omit", f"fields={resource.key}&omit={resource.key}")])


def contradictions(declared, name):
    """Questions that nothing can answer, each with the parameter to be named."""
    each = declared[name]
    low, high = {read_date: ("2025-01-01", "2025-01-02"), read_number: ("1", "2")}.get(each.read, (None, None))
    if f"{name}__gt" in declared:
        yield name, f"{name}__gte={high}&{name}__lte={low}"
        yield name, f"{name}__gt={high}&{name}__lt={low}"
        yield name, f"{name}__gt={low}&{name}__lt={low}"
        yield name, f"{name}__gt={low}&{name}__lte={low}"
        yield name, f"{name}={low}&{name}__gt={low}"
        yield name, f"{name}={low}&{name}__gte={high}"
        yield name, f"{name}={high}&{name}__lt={high}"
    if f"{name}__isnull" in declared and low:
        yield f"{name}__isnull", f"{name}={low}&{name}__isnull=true"
        yield f"{name}__isnull", f"{name}__lt={low}&{name}__isnull=true"
    if f"{name}__isnull" in declared and each.read is read_text:
        yield f"{name}__isnull", f"{name}=a&{name}__isnull=true"
    words = each.schema.get("enum")
    if f"{name}__not" in declared and words:
        yield f"{name}__not", f"{name}={words[0]}&{name}__not={words[0]}"
        yield f"{name}__not", f"{name}={words[0]}&{name}__not={words[1]},{words[0]}"
    if f"{name}__not" in declared and each.read is read_keys:
        yield f"{name}__not", f"{name}=a,b&{name}__not=b,a"


@pytest.mark.parametrize(
    "question",
    [
        "fields=jurisdiction.name&omit=jurisdiction",
        "fields=jurisdiction.name&omit=jurisdiction.name",
        "fields=slug,jurisdiction&omit=title,jurisdiction",
    ],
)
def test_part_of_what_is_left_out_cannot_be_asked_for(db, client, question):
    [fault] = faults(client.get(f"{ROOT}policies/?{question}"), 400)

    assert (fault["parameter"], fault["code"]) == ("omit", "contradictory")


def test_reference_asked_for_and_excluded_is_refused(db, client):
    make_topic(slug="custody")
    make_topic(slug="staking")
    make_company(slug="kucoin")

    for question in ("topic=custody&topic__not=custody", "topic__all=custody,staking&topic__not=staking"):
        [fault] = faults(client.get(f"{ROOT}policies/?{question}"), 400)
        assert (fault["parameter"], fault["code"]) == ("topic__not", "contradictory")
    [fault] = refusal(client, "figures/", company="kucoin", company__isnull="true")
    assert fault["parameter"] == "company__isnull"


@pytest.mark.parametrize(
    "question",
    [
        "introduced_on=2025-01-01&introduced_on__gte=2025-01-01&introduced_on__lte=2025-01-01",
        "introduced_on__gte=2025-01-01&introduced_on__lte=2025-01-01",
        "introduced_on__gt=2025-01-01&introduced_on__lt=2025-01-03",
        "introduced_on__isnull=false&introduced_on__gt=2025-01-01",
        "kind=bill,statute&kind__not=bill",
        "fields=jurisdiction&omit=jurisdiction.name",
        "introduced_on__lt=2025-01-01&effective_from__gt=2025-01-01",
    ],
)
def test_question_that_only_looks_contradictory_is_answered(db, client, question):
    assert client.get(f"{ROOT}policies/?{question}").status_code == 200


# Pages


@every_resource
def test_page_or_page_size_out_of_range_is_refused(db, client, resource):
    sizes, pages = ["0", "-1", "201", "1.5", "a", "1e2"], ["0", "-1", "1.5", "a", "2", "201"]

    assert_refused(client, resource, [("page_size", f"page_size={size}") for size in sizes])
    assert_refused(client, resource, [("page", f"page={page}") for page in pages])


@every_resource
def test_page_together_with_a_cursor_is_refused(db, client, resource):
    [fault] = refusal(client, f"{resource.collection}/", page=1, cursor="*")

    assert (fault["parameter"], fault["code"]) == ("page", "contradictory")


# Methods, addresses, formats


@every_resource
@pytest.mark.parametrize("path", ["", "x/"])
def test_nobody_writes_through_the_api(db, client, resource, path):
    client.force_login(User.objects.create_superuser("ada"))

    for method in ("POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"):
        answer = client.generic(method, f"{ROOT}{resource.collection}/{path}", b"{}", content_type="application/json")
        problem(answer, 405)
        assert answer["Allow"] == "GET, HEAD, OPTIONS"


@every_resource
def test_head_tells_what_get_would(knowledge, client, resource):
    for path in (f"{resource.collection}/", f"{resource.collection}/no-such-key/"):
        got, head = get(client, path), client.head(address(path, {}))
        assert head.status_code == got.status_code
        assert head.content == b""
        assert head["Content-Length"] == got["Content-Length"]
        assert head["Content-Type"] == got["Content-Type"]


@every_resource
def test_options_tells_what_may_be_done(db, client, resource):
    for path in ("", "x/"):
        answer = client.options(f"{ROOT}{resource.collection}/{path}")
        assert answer.status_code == 200
        assert answer["Allow"] == "GET, HEAD, OPTIONS"


@every_resource
def test_record_that_does_not_exist_is_told_with_the_nearest(knowledge, client, resource):
    key = resource.queryset.values_list(resource.key, flat=True).order_by(resource.key)[0]

    document = problem(get(client, f"{resource.collection}/{key}z/"), 404)

    assert document["nearest"] in resource.queryset.values_list(resource.key, flat=True)
    assert document["instance"] == f"{ROOT}{resource.collection}/{key}z/"


@every_resource
def test_odd_key_is_one_that_does_not_exist(db, client, resource):
    for key in ["%00", "%FF", "%0A", "a" * 7000, "%F0%9F%92%A9", "'", "%25", "..%2F", "%5C", "1", "*"]:
        problem(client.get(f"{ROOT}{resource.collection}/{key}/"), 404)


@pytest.mark.parametrize(
    "path", ["nothing/", "policies//", "policies/x/y/", "/policies/", "policies/x/%2F/", "POLICIES/"]
)
def test_address_that_leads_nowhere_is_told_as_a_problem(db, client, path):
    problem(client.get(ROOT + path), 404)


@every_resource
def test_format_that_we_do_not_speak_is_told(db, client, resource):
    for accept in ["text/html", "text/csv", "application/xml", "nonsense", "a" * 5000]:
        problem(client.get(f"{ROOT}{resource.collection}/", headers={"Accept": accept}), 406)


@pytest.mark.parametrize(
    "accept", ["*/*", "application/*", "application/json", "text/html,*/*;q=0.8", "application/json; charset=utf-8"]
)
def test_format_that_we_speak_is_answered(db, client, accept):
    answer = client.get(f"{ROOT}policies/", headers={"Accept": accept})

    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    ("path", "status"),
    [("", 200), ("?nope=1", 400), ("no-such-key/", 404), (f"?{'q' * 20_000}", 414)],
    ids=["answer", "refusal", "nothing", "too long"],
)
@every_resource
def test_any_site_may_read_answers_and_errors_alike(db, client, resource, path, status):
    answer = client.get(f"{ROOT}{resource.collection}/{path}", headers={"Origin": "https://front.example"})

    assert answer.status_code == status
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert "Retry-After" in answer["Access-Control-Expose-Headers"]


def test_any_site_may_read_why_it_may_not_write(db, client):
    answer = client.post(f"{ROOT}policies/", headers={"Origin": "https://front.example"})

    problem(answer, 405)
    assert answer["Access-Control-Allow-Origin"] == "*"


@every_resource
def test_every_filter_tells_in_words_what_it_does(resource):
    assert all(each.extra["help_text"] for each in filters(resource).values())
