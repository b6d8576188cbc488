"""Where an answer's neighbours are, in its head (RFC 8288), for those who do not read its body."""

from collections.abc import Mapping

from django.conf import settings

# Heads are short: a proxy refuses one of more than a few thousand bytes, and the body has these addresses anyway.
LONGEST_LINKS = 2000


def link(relations: Mapping[str, str | None]) -> dict[str, str]:
    """The header `Link`: these relations with their addresses, as far as there are such, and the API's description."""
    told = [f'<{address}>; rel="{relation}"' for relation, address in relations.items() if address]
    described = f'<{settings.API_DESCRIPTION}>; rel="service-desc"'
    if sum(map(len, told)) > LONGEST_LINKS:
        return {"Link": described}
    return {"Link": ", ".join([*told, described])}
