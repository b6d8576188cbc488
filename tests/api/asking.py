"""Asking the API in tests."""

from urllib.parse import urlencode

ROOT = "/api/v1/"
PROBLEM = "application/problem+json"


def get(client, path, **parameters):
    """The answer to GET; `path` begins below the API's root."""
    return client.get(address(path, parameters))


def ask(client, path, **parameters):
    """The answer as data; it has to be a good one."""
    answer = get(client, path, **parameters)
    assert answer.status_code == 200, answer.content[:2000]
    return answer.json()


def keys(client, path, key="slug", /, **parameters):
    """The keys of all rows of a list that fits on one page."""
    answer = ask(client, path, fields=key, page_size=200, **parameters)
    assert answer["next"] is None
    assert answer["count"] == len(answer["results"])
    return [row[key] for row in answer["results"]]


def refusal(client, path, **parameters):
    """The faults that a question is refused for, after a look at the problem document around them."""
    return faults(get(client, path, **parameters), 400)


def faults(answer, status):
    return problem(answer, status)["errors"]


def problem(answer, status):
    """The problem document of an answer with this status. Source: RFC 9457."""
    assert answer.status_code == status, (answer.status_code, answer.content[:2000])
    assert answer["Content-Type"] == PROBLEM
    document = answer.json()
    assert {"type", "title", "status", "detail", "instance"} <= document.keys()
    assert document["status"] == status
    assert all(isinstance(document[name], str) and document[name] for name in ("type", "title", "detail", "instance"))
    return document


def address(path, parameters):
    return ROOT + path + ("?" + urlencode(parameters) if parameters else "")


def walk(client, path, **parameters):
    """The pages of a list, by following `next`."""
    following = address(path, parameters)
    while following:
        answer = client.get(following)
        assert answer.status_code == 200, answer.content[:2000]
        page = answer.json()
        yield page
        following = page["next"]
