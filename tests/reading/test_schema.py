"""The description is true: what it says of answers, filters and errors is what happens."""

import json

import pytest
from django.test import Client
from drf_spectacular.generators import SchemaGenerator

from regulations.api.urls import RESOURCES

PAGE = 40


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource.collection)
def test_lists_and_records_are_as_described(knowledge, faults_of, resource):
    listed = Client().get(f"/api/v1/{resource.collection}/", {"page_size": PAGE})

    assert faults_of(f"/api/v1/{resource.collection}/", listed) == []
    for row in json.loads(listed.content)["results"][:10]:
        alone = Client().get(f"/api/v1/{resource.collection}/{row[resource.key]}/")
        assert faults_of(f"/api/v1/{resource.collection}/{{key}}/", alone) == []


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource.collection)
def test_facets_are_as_described(knowledge, description, faults_of, resource):
    path = f"/api/v1/{resource.collection}/"
    [said] = [each for each in description["paths"][path]["get"]["parameters"] if each["name"] == "facets"]
    names = said["schema"]["items"]["enum"]

    listed = Client().get(path, {"page_size": 1, "facets": ",".join(names)})

    assert faults_of(path, listed) == []
    assert list(json.loads(listed.content)["facets"]) == names == list(resource.filterset_class.facets())


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource.collection)
def test_errors_are_as_described(db, faults_of, resource):
    refused = Client().get(f"/api/v1/{resource.collection}/", {"nonsense": "1"})
    missing = Client().get(f"/api/v1/{resource.collection}/nothing-like-it/")

    assert faults_of(f"/api/v1/{resource.collection}/", refused, "400") == []
    assert faults_of(f"/api/v1/{resource.collection}/{{key}}/", missing, "404") == []


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("graph/{collection}/{key}/", "graph/policies/eu-mica/?depth=2"),
        ("graph/{collection}/{key}/", "graph/people/julia-leung/?on=2025-01-01"),
        ("resolve/", "resolve/?q=kucoin"),
        ("resolve/", "resolve/?q=FSA"),
        ("resolve/", "resolve/?q=nobody"),
        ("screen/", "screen/?domain=kuc0in.com&name=Kraken"),
    ],
)
def test_graphs_and_resolutions_are_as_described(knowledge, faults_of, path, asked):
    assert faults_of(f"/api/v1/{path}", Client().get(f"/api/v1/{asked}")) == []
    assert faults_of(f"/api/v1/{path}", Client().get(f"/api/v1/{asked.split('?')[0]}?x=1"), "400") == []


def test_graph_of_nothing_is_as_described(db, faults_of):
    missing = Client().get("/api/v1/graph/companies/nothing-like-it/")

    assert faults_of("/api/v1/graph/{collection}/{key}/", missing, "404") == []


@pytest.mark.parametrize("sent", [{}, {"coming": "true", "page_size": "200"}, {"collection": "people"}])
def test_the_timeline_is_as_described(knowledge, faults_of, sent):
    assert faults_of("/api/v1/timeline/", Client().get("/api/v1/timeline/", sent)) == []
    assert faults_of("/api/v1/timeline/", Client().get("/api/v1/timeline/", {"nonsense": "1"}), "400") == []


@pytest.mark.parametrize("q", ["huobi", "hong kong stablcoin", "zzzzzz"])
def test_searches_are_as_described(knowledge, faults_of, q):
    for path in ("/api/v1/search/", "/api/v1/suggest/"):
        assert faults_of(path, Client().get(path, {"q": q})) == []
        assert faults_of(path, Client().get(path), "400") == []


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource.collection)
def test_the_parameters_described_are_those_that_are_read(description, resource):
    from kbase.reading.questions import DETAIL_PARAMETERS, LIST_PARAMETERS

    listed = description["paths"][f"/api/v1/{resource.collection}/"]["get"]["parameters"]
    alone = description["paths"][f"/api/v1/{resource.collection}/{{key}}/"]["get"]["parameters"]

    assert {p["name"] for p in listed} == {*resource.filterset_class.base_filters, *LIST_PARAMETERS}
    assert {p["name"] for p in alone} == {"key", *DETAIL_PARAMETERS}
    assert all(p["description"] for p in [*listed, *alone])


def test_every_operation_has_a_name_of_its_own(description):
    names = [operation["operationId"] for path in description["paths"].values() for operation in path.values()]

    assert len(names) == len(set(names)) > 2 * len(RESOURCES) + 1


def test_the_description_is_the_same_each_time_it_is_made(description):
    assert json.loads(json.dumps(SchemaGenerator().get_schema(public=True))) == description


def test_the_index_leads_to_every_collection(client, db):
    index = client.get("/api/v1/").json()

    assert list(index) == [resource.collection for resource in RESOURCES]
    assert all(client.get(address).status_code == 200 for address in index.values())


def test_the_index_refuses_parameters(client, db):
    assert client.get("/api/v1/?page=1").status_code == 400


def test_the_description_is_served_and_its_page_comes_from_this_host(client, db):
    page = client.get("/api/docs/").content.decode()

    assert client.get("/api/schema/").status_code == 200
    assert "swagger-ui" in page
    assert 'src="http' not in page
    assert 'href="http' not in page
