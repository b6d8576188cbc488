"""What many readers ask together: lists under many filters, records, searches, pages of many parts."""

from random import Random

from bench.pacing import Asked
from regulations.models import Company, Jurisdiction, Policy, Topic

SEED = 3
ROOT = "/api/v1/"
# How many different addresses of each kind, and so how often it is asked.
SHARES = {"list": 600, "record": 300, "company list": 60, "search": 20, "suggest": 15, "facets": 4, "country page": 1}


def addresses() -> list[Asked]:
    """A thousand addresses with their kinds, the same for the same world; `connection` speaks with it."""
    random = Random(SEED)
    places = list(Jurisdiction.objects.order_by("pk").values_list("code", flat=True)[:60])
    topics = list(Topic.objects.order_by("pk").values_list("slug", flat=True)[:20])
    slugs = _some_keys(Policy, random)
    names = [slug.split("-")[0] for slug in _some_keys(Company, random)]

    def a_list() -> str:
        filters = [f"jurisdiction={random.choice(places)}", f"topic={random.choice(topics)}", "status=in_force"]
        return f"policies/?{'&'.join(filter_ for filter_ in filters if random.random() < 0.5)}".rstrip("?")

    makers = {
        "list": a_list,
        "record": lambda: f"policies/{random.choice(slugs)}/",
        "company list": lambda: f"companies/?activity={random.choice(topics[:10])}",
        "search": lambda: f"search/?q={random.choice(names)}+{random.choice(topics[:5])}",
        "suggest": lambda: f"suggest/?q={random.choice(names)[:4]}",
        "facets": lambda: f"policies/?jurisdiction={random.choice(places)}&facets=topic,status",
        "country page": lambda: f"jurisdictions/{random.choice(places)}/profile/",
    }
    return [(kind, ROOT + makers[kind]()) for kind, share in SHARES.items() for _ in range(share)]


def _some_keys(model: type[Policy] | type[Company], random: Random) -> list[str]:
    last = model.objects.order_by("-pk")[0].pk
    wanted = [random.randint(1, last) for _ in range(400)]
    return list(model.objects.filter(pk__in=wanted).order_by("pk").values_list("slug", flat=True))
