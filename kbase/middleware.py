"""What every answer carries, and what we refuse before looking at it."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse

from kbase.reading import problems


def content_policy(**directives: str) -> str:
    return "; ".join(f"{name.replace('_', '-')} {sources}" for name, sources in directives.items())


# The API's answers are data: nothing in them may be run, framed or loaded.
DATA_POLICY = content_policy(default_src="'none'", frame_ancestors="'none'")
_PAGE = {
    "default_src": "'self'",
    "img_src": "'self' data:",
    "object_src": "'none'",
    "base_uri": "'self'",
    "form_action": "'self'",
    "frame_ancestors": "'none'",
}
# Swagger UI puts style attributes on what it draws.
DOCS_POLICY = content_policy(**_PAGE, style_src="'self' 'unsafe-inline'")
# Alpine.js, which moves the admin's pages, builds functions from attributes; unfold writes a few scripts into the page.
ADMIN_POLICY = content_policy(
    **_PAGE, style_src="'self' 'unsafe-inline'", script_src="'self' 'unsafe-inline' 'unsafe-eval'"
)

PERMISSIONS_POLICY = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"


def policy_for(path: str) -> str:
    if path.startswith("/admin/"):
        return ADMIN_POLICY
    return DOCS_POLICY if path.startswith("/api/docs/") else DATA_POLICY


class ResponseHeaders:
    """Say on every answer what a browser may do with it."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", policy_for(request.path))
        response.headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
        if response.status_code >= 400:
            # A cache may keep some refusals unasked; what is refused today may be answered tomorrow.
            response.headers.setdefault("Cache-Control", "no-store")
        return response


class CrossOrigin:
    """Let pages of any other site read the API, refusals included (the Fetch standard's CORS protocol).

    Said on every answer, whether or not it was asked from a page, so that one cached copy serves all: no `Vary: Origin`.
    """

    allowed = {"Access-Control-Allow-Origin": "*"}
    exposed = allowed | {"Access-Control-Expose-Headers": ", ".join(settings.EXPOSED_HEADERS)}
    preflight = allowed | {
        "Access-Control-Allow-Methods": "GET, HEAD, OPTIONS",
        # Whatever a page adds does no harm: nobody is known to the API.
        "Access-Control-Allow-Headers": "*",
        "Access-Control-Max-Age": str(24 * 60 * 60),
    }

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path.startswith("/api/"):
            return self.get_response(request)
        if request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
            return HttpResponse(headers=self.preflight)
        response = self.get_response(request)
        for name, value in self.exposed.items():
            response[name] = value
        return response


class RequestLimits:
    """Refuse what is too long to be meant, before anybody parses it."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.refusal(request) or self.get_response(request)

    def refusal(self, request: HttpRequest) -> HttpResponse | None:
        if max(len(request.path), len(request.META.get("QUERY_STRING", ""))) > settings.LONGEST_ADDRESS:
            return problem(request, 414, f"Path and query may have {settings.LONGEST_ADDRESS} characters each.")
        longest = settings.LONGER_BODIES.get(request.path, settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
        length = request.META.get("CONTENT_LENGTH") or "0"
        # int() refuses numbers of thousands of digits with an error of its own.
        if length.isdecimal() and len(length) < 19 and int(length) <= longest:
            return None
        return problem(request, 413, f"The body has more than {longest} bytes.")


def problem(request: HttpRequest, status: int, detail: str) -> HttpResponse:
    # The path may be what is too long.
    body = problems.document(status, detail, request.path[:200])
    return JsonResponse(body, status=status, content_type=problems.MEDIA_TYPE)
