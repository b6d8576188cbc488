"""What is asked of both, and when two answers are the same."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

POLICIES = "/api/v1/policies/"
IN_FORCE = "?jurisdiction=HK&topic=custody&status=in_force&on=2026-06-01"
PAGE_SIZE = 50
STEP = 200

# Gets the body of an address.
Get = Callable[[str], bytes]


@dataclass(frozen=True)
class Question:
    """A request, in our words and in the baseline's, which has no cursors.

    envelope: whether the whole answers are the same, or only their results.
    """

    name: str
    ours: str
    baseline: str
    envelope: bool = True


def questions(get: Get, depth: int) -> list[Question]:
    """The measured requests. get: asks our server; depth: after how many rows the deep page begins, a multiple of 200."""
    in_force = json.loads(get(POLICIES + IN_FORCE))["results"]
    detail = f"{POLICIES}{in_force[0]['slug']}/"
    return [
        _alike("newest 50", POLICIES),
        _alike("HK, custody, in force", POLICIES + IN_FORCE),
        _alike("topic custody", f"{POLICIES}?topic=custody"),
        _alike("one policy", detail),
        _alike("slug and title only", f"{POLICIES}?fields=slug,title"),
        Question(
            f"after {depth:,} rows", _walked(get, depth), f"{POLICIES}?page={depth // PAGE_SIZE + 1}", envelope=False
        ),
    ]


def same(question: Question, ours: bytes, theirs: bytes) -> bool:
    """Whether the answers say the same."""
    return _comparable(ours, question.envelope) == _comparable(theirs, question.envelope)


def _alike(name: str, address: str) -> Question:
    return Question(name, address, address)


def _walked(get: Get, depth: int) -> str:
    """The address that continues a walk after `depth` rows, with pages of the usual size."""
    address = f"{POLICIES}?cursor=*&page_size={STEP}"
    for _ in range(depth // STEP):
        address = _without(json.loads(get(address))["next"], "page_size")
        following = f"{address}&page_size={STEP}"
        address, last = following, address
    return last


def _without(address: str, parameter: str) -> str:
    parts = urlsplit(address)
    kept = [(name, value) for name, value in parse_qsl(parts.query) if name != parameter]
    return f"{parts.path}?{urlencode(kept)}"


def _comparable(body: bytes, envelope: bool) -> Any:
    answer = json.loads(body)
    if not envelope:
        return answer["results"]
    # Only we repeat how a question was understood.
    answer.pop("query", None)
    # The order of parameters in an address says nothing.
    pages = {
        name: sorted(parse_qsl(urlsplit(answer[name] or "").query)) for name in ("next", "previous") if name in answer
    }
    return answer | pages
