"""No wrong question is answered as if it were another one: never a 200 that ignored it, never a 500."""

import json

import pytest
from django.test import Client

from regulations.api.urls import RESOURCES
from tests.api.mutations import mutations, needs, operations, stem_of

OPERATIONS = {path: parameters for path, parameters in operations().items() if path != "/api/v1/"}


def address(path):
    """The path about a record that is there."""
    resources = {resource.collection: resource for resource in RESOURCES}
    collection = "policies" if "{collection}" in path else path.split("/")[3]
    key = ""
    if "{key}" in path:
        resource = resources[collection]
        key = str(resource.queryset.order_by("pk").values_list(resource.key, flat=True).first())
    return path.replace("{collection}", collection).replace("{key}", key)


def is_told(answer, mutation):
    """Whether a refusal names the parameter that is wrong, or the filter that it belongs to."""
    told = {fault["parameter"] for fault in answer.json()["errors"]}
    return bool({mutation.parameter, stem_of(mutation.parameter)} & (told | {stem_of(name) for name in told}))


def is_understood(answer, mutation):
    """Whether an answer to a value that may be meant repeats that it was taken into account."""
    if answer["Content-Type"] != "application/json":
        return True
    return mutation.parameter in answer.json().get("query", {})


def fault_of(answer, mutation):
    """What is wrong with the answer to a wrong question; None if nothing is."""
    if answer.status_code == 400:
        return None if is_told(answer, mutation) else "the refusal names another parameter"
    if answer.status_code == 200 and mutation.may_be_meant:
        return None if is_understood(answer, mutation) else "the parameter was ignored"
    return f"status {answer.status_code}"


@pytest.mark.parametrize("path", OPERATIONS)
def test_no_wrong_question_is_accepted(knowledge, path, record_property):
    client, about = Client(raise_request_exception=False), address(path)
    wrong = list(mutations(OPERATIONS[path]))

    found = []
    for mutation in wrong:
        answer = client.get(f"{about}?{mutation.query}")
        if fault := fault_of(answer, mutation):
            found.append((mutation.wrong, mutation.parameter, fault, json.dumps(answer.content[:200].decode())))
    record_property("mutations", len(wrong))
    record_property("accepted", len(found))

    assert found == []


def test_right_questions_are_answered(knowledge):
    """Else the refusals above would say nothing."""
    for path, parameters in OPERATIONS.items():
        answer = Client().get(address(path), needs(parameters))
        assert answer.status_code == 200, (path, answer.content[:500])
