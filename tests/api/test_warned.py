"""What an enforcement action names: web domains, and others than our companies."""

import pytest
from django.core.exceptions import ValidationError

from tests.factories import make_enforcement_action, make_enforcement_domain, make_enforcement_name

pytestmark = pytest.mark.django_db
LIST = "/api/v1/enforcement-actions/"


def test_warning_tells_the_domains_and_names_that_it_names(client):
    action = make_enforcement_action(slug="warning", kind="warning")
    make_enforcement_domain(action=action, domain="dobibo.example", address="https://www.dobibo.example/it")
    make_enforcement_name(action=action, name="Dobibo")

    told = client.get(f"{LIST}warning/").json()

    assert told["domains"] == [{"domain": "dobibo.example", "address": "https://www.dobibo.example/it"}]
    assert told["names"] == [{"name": "Dobibo"}]


def test_action_is_found_once_by_a_domain_that_it_names_at_two_addresses(client):
    action = make_enforcement_action(slug="warning")
    for address in ("dobibo.example", "m.dobibo.example"):
        make_enforcement_domain(action=action, domain="dobibo.example", address=address)
    make_enforcement_domain(domain="dobibo1.example")

    found = client.get(LIST, {"domain": "dobibo.example"}).json()

    assert [row["slug"] for row in found["results"]] == ["warning"]


@pytest.mark.parametrize(
    "domain", ["Dobibo.com", "https://dobibo.com", "dobibo", "b\u00fccher.example", "dobibo.com/it", ""]
)
def test_domain_that_dns_does_not_have_so_is_refused(domain):
    made = make_enforcement_domain(domain="dobibo.example")
    made.domain = domain

    with pytest.raises(ValidationError, match=r"domain"):
        made.full_clean()


@pytest.mark.parametrize("word", ["dobibo.example", "fameexn"])
def test_warning_is_searched_by_the_domains_and_names_that_it_names(committed, client, word):
    action = make_enforcement_action(slug="warning", kind="warning")
    make_enforcement_domain(action=action, domain="dobibo.example", address="https://www.dobibo.example/it")
    make_enforcement_name(action=action, name="Fameexn")

    found = client.get("/api/v1/search/", {"q": word}).json()

    assert [row["key"] for row in found["results"]] == ["warning"]
