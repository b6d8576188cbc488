"""Every answer of the API that a test gets is compared with the reviewed copy of its description."""

import gzip
import json
import re
from functools import cache
from pathlib import Path

import jsonschema_rs
import yaml
from django.conf import settings

# What Django answers before a view is asked, for all addresses alike.
EVERYWHERE = {301, 404, 405, 413}


@cache
def description():
    return yaml.load((Path(settings.BASE_DIR) / "docs/openapi.yaml").read_text(), yaml.CSafeLoader)


@cache
def templates():
    """The paths as patterns, those with variable parts last."""
    paths = sorted(description()["paths"], key=lambda path: path.count("{"))
    return [(re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path))), path) for path in paths]


@cache
def validator(path, status, media_type, arm):
    """What checks a body. arm: which of several shapes it has to have; None for any."""
    said = description()["paths"][path]["get"]["responses"][status]["content"][media_type]["schema"]
    if arm is not None and "anyOf" in said:
        said = said["anyOf"][arm]
    schema = {**said, "components": description()["components"]}
    return jsonschema_rs.Draft202012Validator(schema, validate_formats=True)


def faults(request, response):
    """In which ways an answer to GET or HEAD differs from its description."""
    path = next((path for pattern, path in templates() if pattern.fullmatch(request.path)), None)
    if path is None:
        return [] if response.status_code in EVERYWHERE else [f"{request.path} is not described"]
    said = description()["paths"][path]["get"]["responses"].get(str(response.status_code))
    if said is None:
        return [] if response.status_code in EVERYWHERE else [f"{response.status_code} is not described"]
    return [*_faults_of_head(said, response), *_faults_of_body(path, said, request, response)]


def _faults_of_head(said, response):
    for name, header in said.get("headers", {}).items():
        header = description()["components"]["headers"][name] if "$ref" in header else header
        if name in response.headers:
            value = response.headers[name]
            value = int(value) if header["schema"]["type"] == "integer" else value
            if not jsonschema_rs.Draft202012Validator(header["schema"]).is_valid(value):
                yield f"{name}: {value}"
        elif header.get("required"):
            yield f"{name} is missing"


def _faults_of_body(path, said, request, response):
    if "content" not in said:
        return
    media_type = response.headers["Content-Type"].partition(";")[0]
    if media_type not in said["content"]:
        yield f"{media_type} is not described"
    elif media_type.endswith("json") and not response.streaming and request.method == "GET":
        body = response.content
        if response.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        # What was not trimmed is whole, with all that is required of it.
        arm = int("fields=" in request.META["QUERY_STRING"] or "omit=" in request.META["QUERY_STRING"])
        checked = validator(path, str(response.status_code), media_type, arm)
        yield from (f"{error.instance_path}: {error.message}" for error in checked.iter_errors(json.loads(body)))


def is_described(request):
    """Whether the description speaks of the request."""
    is_ours = settings.ROOT_URLCONF == "kbase.urls" and request.path.startswith(settings.API_ROOT)
    return is_ours and request.method in ("GET", "HEAD")
