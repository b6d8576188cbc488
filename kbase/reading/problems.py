"""Every error of the API as a problem document.

Source: RFC 9457 (problem details), RFC 9110 (status codes).
"""

import logging
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from http import HTTPStatus
from typing import Any, TypeVar

import orjson
from django.core.exceptions import PermissionDenied
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.encoding import escape_uri_path
from rest_framework.exceptions import APIException
from rest_framework.response import Response

from kbase.reading import replicas

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = 5
UNAVAILABLE = "The database is not available. Try again soon."
# What Django raises where a database is away, takes too long or breaks off.
NO_ANSWER = (OperationalError, InterfaceError)

logger = logging.getLogger(__name__)

AnyResponse = TypeVar("AnyResponse", bound=HttpResponse)


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong with a request.

    parameter: the query parameter at fault, as it was sent.
    code: what is wrong, in one stable word: unknown, empty, repeated, malformed, out_of_range, contradictory.
    detail: what is wrong and what to do, as a sentence.
    allowed: the values or names that are possible, where they can be listed.
    nearest: the possible one that comes closest to what was sent.
    """

    parameter: str
    code: str
    detail: str
    allowed: tuple[str, ...] = ()
    nearest: str | None = None

    def as_json(self) -> dict[str, Any]:
        """The fault without the members that say nothing."""
        return {name: value for name, value in asdict(self).items() if value not in ((), None)}


def unknown(parameter: str, what: str, sent: str, possible: Iterable[str]) -> Fault:
    """The fault of a name or value that is not among the `possible` ones; names the nearest."""
    allowed = tuple(possible)
    nearest = next(iter(get_close_matches(sent, allowed, n=1, cutoff=0.5)), None)
    hint = f" Did you mean “{nearest}”?" if nearest else ""
    return Fault(parameter, "unknown", f"There is no {what} “{sent[:100]}”.{hint}", allowed, nearest)


class BadRequest(APIException):
    """A request that could be misread, and so is not answered."""

    status_code = HTTPStatus.BAD_REQUEST

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = list(faults)
        super().__init__(" ".join(fault.detail for fault in self.faults))


class Faults(list[Fault]):
    """The faults of a request, gathered so that all of them are told at once."""

    @contextmanager
    def gathering(self) -> Iterator[None]:
        """Go on after a fault, and remember it."""
        try:
            yield
        except BadRequest as refused:
            self.extend(refused.faults)

    def refuse(self) -> None:
        """Raise BadRequest if there are any."""
        if self:
            raise BadRequest(self)


class NotFound(APIException):
    """No record has this key."""

    status_code = HTTPStatus.NOT_FOUND

    def __init__(self, detail: str, nearest: str | None = None) -> None:
        self.nearest = nearest
        super().__init__(detail)


class Gone(APIException):
    """The record that had this key is no longer there. `members` say when and why, and where its history is."""

    status_code = HTTPStatus.GONE

    def __init__(self, detail: str, **members: Any) -> None:
        self.members = members
        super().__init__(detail)


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """Answer what Django REST framework raises; anything unforeseen is left to `server_error`."""
    request = context["request"]
    if isinstance(error, Http404):
        error = NotFound("There is nothing at this address.")
    if isinstance(error, PermissionDenied):
        return _response(request, HTTPStatus.FORBIDDEN, "This may not be done here.")
    if isinstance(error, NO_ANSWER):
        body = document(HTTPStatus.SERVICE_UNAVAILABLE, UNAVAILABLE, request.path)
        return _unavailable(Response(body, content_type=MEDIA_TYPE), error)
    if not isinstance(error, APIException):
        return None
    response = _response(request, error.status_code, str(error.detail), **_members(error))
    if wait := getattr(error, "wait", None):
        response["Retry-After"] = str(int(wait) + 1)
    return response


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Django's answer 400, for what never reaches a view."""
    return _page(request, HTTPStatus.BAD_REQUEST, "The request is malformed.")


def permission_denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Django's answer 403."""
    return _page(request, HTTPStatus.FORBIDDEN, "This may not be done here.")


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Django's answer 404, for addresses that lead nowhere."""
    return _page(request, HTTPStatus.NOT_FOUND, "There is nothing at this address.")


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's answer 500: our fault, told without its inside; and 503 where it is the database's."""
    error = sys.exception()
    if isinstance(error, NO_ANSWER):
        return _unavailable(_page(request, HTTPStatus.SERVICE_UNAVAILABLE, UNAVAILABLE), error)
    return _page(request, HTTPStatus.INTERNAL_SERVER_ERROR, "Something went wrong on our side.")


def document(status: int, detail: str, instance: str, **members: Any) -> dict[str, Any]:
    """A problem document. `members` are extensions, such as `errors`: one entry for each fault."""
    title = HTTPStatus(status).phrase
    return {
        "type": "about:blank",
        "title": title,
        "status": int(status),
        "detail": detail,
        "instance": escape_uri_path(instance),
    } | members


def _members(error: APIException) -> dict[str, Any]:
    if isinstance(error, BadRequest):
        return {"errors": [fault.as_json() for fault in error.faults]}
    if isinstance(error, Gone):
        return error.members
    if isinstance(error, NotFound) and error.nearest:
        return {"nearest": error.nearest}
    return {}


def _response(request: Any, status: int, detail: str, **members: Any) -> Response:
    body = document(status, detail, request.path, **members)
    return Response(body, status=status, content_type=MEDIA_TYPE)


def _unavailable(response: AnyResponse, error: Exception) -> AnyResponse:
    """The response as one of a database that does not answer; `database_error` says why."""
    if not replicas.is_read_from():
        # Else there is another server to ask.
        logger.error("The database did not answer: %s", error)
    response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
    response["Retry-After"] = str(RETRY_AFTER_SECONDS)
    setattr(response, "database_error", error)  # noqa: B010 (an attribute of ours)
    return response


def _page(request: HttpRequest, status: int, detail: str) -> HttpResponse:
    """The problem document under /api/, a plain sentence elsewhere."""
    if not request.path.startswith("/api/"):
        return HttpResponse(f"{detail}\n", status=status, content_type="text/plain; charset=utf-8")
    body = orjson.dumps(document(status, detail, request.path))
    return HttpResponse(body, status=status, content_type=MEDIA_TYPE)
