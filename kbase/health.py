"""Whether we can answer at all, for whatever watches over the process."""

import logging
from math import isfinite
from typing import Any

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from kbase.reading.replicas import fleet

logger = logging.getLogger(__name__)


@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """Answer 200 if a database answers, 503 if none does.

    With replicas it tells of each, too; while one can be read from, we are not ill, though nobody may be able to write.
    """
    database = "ok" if database_answers() else "unavailable"
    replicas = states_of_replicas() if settings.REPLICAS else {}
    is_well = "ok" in (database, *(replica["state"] for replica in replicas.values()))
    said = {"database": database, **({"replicas": replicas} if replicas else {})}
    return JsonResponse(said, status=200 if is_well else 503, headers={"Cache-Control": "no-store"})


def database_answers() -> bool:
    """Whether the primary answers."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except (DatabaseError, InterfaceError) as error:
        logger.error("The database does not answer: %s", error)
        return False
    return True


def states_of_replicas() -> dict[str, dict[str, Any]]:
    """Each replica's state (ok, lagging, unavailable), and how many seconds it is behind at the most, if that is known."""
    fleet().look()
    fit = fleet().fit()
    states = {}
    for replica in fleet().replicas:
        lag = fleet().lag(replica)
        state = "unavailable" if lag is None else "ok" if replica in fit else "lagging"
        states[replica.alias] = {
            "state": state,
            "lag_seconds": round(lag, 1) if lag is not None and isfinite(lag) else None,
        }
    return states
