"""What Django does for pages, which people look at, and the API does without: nobody is known to it, and it tells nobody anything."""

from typing import Any

from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.http import HttpRequest
from django.utils.deprecation import MiddlewareMixin


class ForPages(MiddlewareMixin):
    """Pass the API's requests by. To be named before a middleware of Django's."""

    def __call__(self, request: HttpRequest) -> Any:
        if request.path.startswith("/api/"):
            return self.get_response(request)
        return super().__call__(request)


class Readers(ForPages, AuthenticationMiddleware):
    """Who is asking."""


class Messages(ForPages, MessageMiddleware):
    """What to tell them on the next page."""
