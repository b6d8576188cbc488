"""Reads every collection to its end with the generated client, and prints how many records each has."""

import datetime
import importlib
import json
import pkgutil
import sys
from urllib.parse import parse_qs, urlsplit

import kbase_client.api
from kbase_client.api.policies import policies_list, policies_retrieve
from kbase_client.client import Client
from kbase_client.models import Policy, PolicyDetail, PolicyList, Problem


def rows(client, module):
    """All records of a list, page after page."""
    cursor = "*"
    while cursor:
        page = module.sync(client=client, cursor=cursor, page_size=200)
        # Without `fields` and `omit` records are whole.
        assert type(page).__name__.endswith("List"), page
        yield from page.results
        cursor = page.next_ and parse_qs(urlsplit(page.next_).query)["cursor"][0]


def main(root):
    client = Client(root, raise_on_unexpected_status=True)
    counts = {}
    for each in pkgutil.iter_modules(kbase_client.api.__path__):
        if each.name not in ("collections", "questions"):
            module = importlib.import_module(f"kbase_client.api.{each.name}.{each.name}_list")
            counts[each.name] = sum(1 for _ in rows(client, module))
    page = policies_list.sync(client=client, jurisdiction=["HK"], on=datetime.date(2026, 1, 1))
    assert isinstance(page, PolicyList)
    assert page.on == datetime.date(2026, 1, 1)
    assert all(isinstance(policy, Policy) and policy.jurisdiction.code == "HK" for policy in page.results)
    record = policies_retrieve.sync(page.results[0].slug, client=client)
    assert isinstance(record, PolicyDetail)
    assert record.milestones[0].date
    refused = policies_list.sync(client=client, jurisdiction=["nowhere"])
    assert isinstance(refused, Problem)
    assert refused.errors[0].parameter == "jurisdiction"
    print(json.dumps(counts))


main(sys.argv[1])
