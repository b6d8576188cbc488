"""Whether we can answer at all, for whatever watches over the process."""

import logging

from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

logger = logging.getLogger(__name__)


@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """Answer 200 if the database answers, 503 if not."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        logger.error("The database does not answer: %s", error)
        return answer(503, "unavailable")
    return answer(200, "ok")


def answer(status: int, database: str) -> JsonResponse:
    return JsonResponse({"database": database}, status=status, headers={"Cache-Control": "no-store"})
