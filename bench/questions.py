"""What is asked, of whom, and when two answers are the same."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from bench.candidates import COUNTS, DATASETTE, DIRECTUS, DRF, FASTAPI, FLOOR, NINJA, OURS, UNCACHED
from bench.peers import directus

ROOT = "/api/v1/"
POLICIES = f"{ROOT}policies/"
IN_FORCE = "jurisdiction=HK&topic=custody&status=in_force&on=2026-06-01"
PAGE_SIZE = 50
STEP = 200
PEERS = (DRF, NINJA, FASTAPI)
NEWEST_ELSEWHERE = {DATASETTE: "/policies/newest.json?_shape=array", DIRECTUS: directus.address()}
IN_FORCE_ELSEWHERE = {
    DATASETTE: "/policies/in_force.json?_shape=array&jurisdiction=HK&topic=custody&on=2026-06-01",
    DIRECTUS: directus.address(directus.in_force("HK", "custody", "2026-06-01")),
}

# Gets the body of an address.
Get = Callable[[str], bytes]


@dataclass(frozen=True)
class Question:
    """A request.

    of: who is asked, besides us. numbered: the address for those that have no cursors.
    envelope: whether the whole answers are the same, or only their results.
    connections: how many ask at once; one where the question is how long an answer takes.
    headers: sent along. own: the addresses of those whose answers have shapes of their own, so that only keys and their order are compared.
    """

    name: str
    address: str
    of: tuple[str, ...] = ()
    numbered: str = ""
    envelope: bool = True
    connections: int = 8
    headers: Mapping[str, str] = field(default_factory=dict)
    own: Mapping[str, str] = field(default_factory=dict)

    def is_for(self, candidate: str) -> bool:
        return candidate in (OURS, COUNTS, UNCACHED, *self.of, *self.own)

    def address_for(self, candidate: str) -> str:
        if candidate in self.own:
            return self.own[candidate]
        return self.numbered if self.numbered and candidate in PEERS else self.address


def questions(get: Get, depth: int, etag: str, moment: str) -> list[Question]:
    """The measured requests.

    get: asks our server. depth: after how many rows the deep page begins, a multiple of 200. etag: of the newest page.
    moment: in the middle of our history.
    """
    in_force = json.loads(get(f"{POLICIES}?{IN_FORCE}"))["results"]
    # So many hold one in the smallest world, too, that a page is full: else showing more of them would be compared.
    permitted = "authorisation=jurisdiction:HK,status:active"
    deep = f"{POLICIES}?page={depth // PAGE_SIZE + 1}"
    every = (*PEERS, FLOOR)
    return [
        Question("newest 50", POLICIES, every, own=NEWEST_ELSEWHERE),
        Question("HK, custody, in force", f"{POLICIES}?{IN_FORCE}", every, own=IN_FORCE_ELSEWHERE),
        Question("topic", f"{POLICIES}?topic=custody", every),
        Question("topic, in force", f"{POLICIES}?topic=custody&status=in_force", (DRF, FLOOR)),
        Question("in force on an old day", f"{POLICIES}?status=in_force&on=2015-06-01", (DRF, FLOOR)),
        Question("two topics at once", f"{POLICIES}?topic__all=custody,exchange", (FLOOR,)),
        Question("companies by authorisation", f"{ROOT}companies/?{permitted}", (FLOOR,)),
        Question("one policy", f"{POLICIES}{in_force[0]['slug']}/", (DRF, FLOOR)),
        Question("a deep page", _walked(get, depth), (DRF, FLOOR), numbered=deep, envelope=False),
        Question("slug and title only", f"{POLICIES}?fields=slug,title", (DRF, FLOOR)),
        Question("newest 50, unchanged (304)", POLICIES, headers={"If-None-Match": etag}),
        Question("newest 50, as known", f"{POLICIES}?known_at={moment}"),
        Question("HK, custody, in force, as known", f"{POLICIES}?{IN_FORCE}&known_at={moment}"),
        *(
            Question(name, ROOT + address, connections=1)
            for name, address in {
                "four facets": "policies/?facets=jurisdiction,topic,status,kind&page_size=1",
                "count of a topic": "policies/?topic=custody&page_size=1",
                "count of two filters": "policies/?jurisdiction=US&status=in_force&page_size=1",
                "search": "search/?q=stablecoin+reserve",
                "search, rare word": f"search/?q={_rare_word(get)}",
                "search in a list": "policies/?q=travel+rule",
                "suggest": "suggest/?q=cust",
                "country page": "jurisdictions/HK/profile/",
                "matrix, 50 by 12": f"matrix/?{urlencode(_matrix(get), safe=',')}",
            }.items()
        ),
    ]


def same(question: Question, candidate: str, ours: bytes, theirs: bytes) -> bool:
    """Whether the answers, of which the second is the candidate's, say the same."""
    if candidate in question.own:
        return _keys(ours) == _keys(theirs)
    return _comparable(ours, question.envelope) == _comparable(theirs, question.envelope)


def _keys(body: bytes) -> list[str]:
    """The keys of the records of an answer, in their order, whoever gave it."""
    answer = json.loads(body)
    if isinstance(answer, dict):
        answer = answer["results"] if "results" in answer else answer["data"]
    return [record["slug"] for record in answer]


def _rare_word(get: Get) -> str:
    """The first word of some company's name."""
    name: str = json.loads(get(f"{ROOT}companies/?page_size=1&fields=name"))["results"][0]["name"]
    return name.split()[0]


def _matrix(get: Get) -> dict[str, str]:
    """Fifty places and twelve topics."""
    places = json.loads(get(f"{ROOT}jurisdictions/?page_size={PAGE_SIZE}&fields=code"))["results"]
    topics = json.loads(get(f"{ROOT}topics/?page_size=12&fields=slug"))["results"]
    return {
        "jurisdiction": ",".join(place["code"] for place in places),
        "topic": ",".join(topic["slug"] for topic in topics),
    }


def _walked(get: Get, depth: int) -> str:
    """The address that continues a walk after `depth` rows, with pages of the usual size."""
    address = f"{POLICIES}?cursor=*&page_size={STEP}&fields=slug"
    for _ in range(depth // STEP):
        address = _with(json.loads(get(address))["next"])
    return _with(address, without=("page_size", "fields"))


def _with(address: str, without: tuple[str, ...] = ()) -> str:
    parts = urlsplit(address)
    kept = [(name, value) for name, value in parse_qsl(parts.query) if name not in without]
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
