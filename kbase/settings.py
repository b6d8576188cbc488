"""Every setting in one place. What may differ between machines comes from the environment (docs/operations.md)."""

import os
import secrets
from difflib import get_close_matches
from pathlib import Path

import dj_database_url
from django.core.exceptions import ImproperlyConfigured
from django.templatetags.static import static

from kbase import embedded

BASE_DIR = Path(__file__).resolve().parent.parent

# The environment. Every variable that we read passes through one of these, so that the list of known names is true.

_known_variables: set[str] = set()


def env_text(name: str, default: str = "") -> str:
    _known_variables.add(name)
    return os.environ.get(name, "").strip() or default


def env_bool(name: str, default: bool = False) -> bool:
    value = env_text(name, "on" if default else "off").lower()
    if value in {"on", "true", "yes", "1"}:
        return True
    if value in {"off", "false", "no", "0"}:
        return False
    raise ImproperlyConfigured(f"{name} is {value!r}; set it to 'on' or 'off'.")


def env_int(name: str, default: int, lowest: int, highest: int) -> int:
    value = env_text(name, str(default))
    # int() would also take '1_000' and digits of other scripts.
    if value.isascii() and value.isdecimal() and lowest <= int(value[:18]) <= highest:
        return int(value)
    raise ImproperlyConfigured(f"{name} is {value!r}; set it to a whole number from {lowest} to {highest}.")


def env_list(name: str, default: list[str]) -> list[str]:
    return [item.strip() for item in env_text(name).split(",") if item.strip()] or default


def env_database(name: str) -> dict | None:
    url = env_text(name)
    return database_at(name, url) if url else None


def database_at(name: str, url: str) -> dict:
    if not url.startswith(("postgres://", "postgresql://")):
        raise ImproperlyConfigured(
            f"{name} is no address of a PostgreSQL server; set it to 'postgresql://user:password@host:5432/database', "
            "or leave it out."
        )
    try:
        return dj_database_url.parse(url)
    except ValueError as error:
        raise ImproperlyConfigured(
            f"{name} cannot be read ({error}); write special characters in its password as %-codes."
        ) from error


def env_cache(name: str) -> str:
    url = env_text(name)
    if url and not url.startswith(("redis://", "rediss://", "unix://")):
        raise ImproperlyConfigured(f"{name} is no address of a Redis server; set it to 'redis://host:6379/0'.")
    return url


def refuse_unknown_variables() -> None:
    """A misspelt variable would otherwise be a setting that silently does nothing."""
    for name in os.environ:
        if name.startswith("KBASE_") and name not in _known_variables:
            nearest = get_close_matches(name, _known_variables, n=1, cutoff=0.8)
            hint = f"did you mean {nearest[0]}?" if nearest else "docs/operations.md lists those that are."
            raise ImproperlyConfigured(f"{name} is not a setting of kbase; {hint}")


# Where things lie

KBASE_HOME = Path(env_text("KBASE_HOME", str(BASE_DIR / ".kbase"))).absolute()


def secret_key() -> str:
    """Return the key of the environment, or else the one kept in a file that only its owner can read."""
    if key := env_text("KBASE_SECRET_KEY"):
        return key
    path = KBASE_HOME / "secret_key"
    if not path.exists():
        write_secret_key(path)
    return path.read_text().strip()


def write_secret_key(path: Path) -> None:
    """Write a new key, once and whole even when several processes start together."""
    path.parent.mkdir(mode=0o711, parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_urlsafe(64))
    try:
        # A link, unlike a renaming, never replaces the key of a process that was quicker.
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()


# How it is served

DEBUG = env_bool("KBASE_DEBUG")
SECRET_KEY = secret_key()
HOST = env_text("KBASE_HOST", "127.0.0.1")
PORT = env_int("PORT", 8000, 1, 65535)
WORKERS = env_int("KBASE_WORKERS", os.cpu_count() or 1, 1, 64)
HTTPS = env_bool("KBASE_HTTPS")
ACCESS_LOG = env_bool("KBASE_ACCESS_LOG")
ALLOWED_HOSTS = env_list("KBASE_ALLOWED_HOSTS", ["localhost", ".localhost", "127.0.0.1", "[::1]"])
# For so long a cache gives an answer without asking us, and for so long again while it asks us behind the reader's back.
FRESH_SECONDS = env_int("KBASE_FRESH_SECONDS", 60, 0, 24 * 60 * 60)
STALE_SECONDS = env_int("KBASE_STALE_SECONDS", 300, 0, 24 * 60 * 60)
# Requests of a client in a minute; 0 for as many as it likes.
RATE_LIMIT = env_int("KBASE_RATE_LIMIT", 6000, 0, 10**9)
# So many proxies of ours stand in front, and each adds to X-Forwarded-For whom it was asked by.
PROXIES = env_int("KBASE_PROXIES", 0, 0, 10)
IS_LOCAL = HOST in {"127.0.0.1", "::1", "localhost"}

ROOT_URLCONF = "kbase.urls"
# Where the API begins; the addresses in its answers start with it.
API_ROOT = "/api/v1/"
# So many whole lists a worker makes and sends at once; each keeps one of its threads for as long as its reader reads.
EXPORTS_AT_ONCE = 2
# So much each worker keeps of what it answered, for as long as nothing that it rests on changes; 0 keeps nothing.
CACHE_KIB = env_int("KBASE_CACHE_KIB", 64 * 1024, 0, 64 * 1024 * 1024)
API_DESCRIPTION = "/api/schema/"
WSGI_APPLICATION = "kbase.wsgi.application"

INSTALLED_APPS = [
    # unfold replaces templates of the admin and so comes first.
    "unfold",
    "unfold.contrib.filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "kbase",
    "regulations",
]

MIDDLEWARE = [
    "kbase.middleware.ResponseHeaders",
    "kbase.reading.compression.Compression",
    "django.middleware.security.SecurityMiddleware",
    # Other sites may read our refusals too, the next one's included.
    "kbase.middleware.CrossOrigin",
    "kbase.middleware.RequestLimits",
    "kbase.throttling.Throttle",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "kbase.pages.Readers",
    "kbase.pages.Messages",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "kbase.reading.replicas.ReadsFromReplicas",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# The database

STATEMENT_TIMEOUT_SECONDS = env_int("KBASE_STATEMENT_TIMEOUT_SECONDS", 15, 1, 3600)
EMBEDDED_DATA = KBASE_HOME / "postgres"


def embedded_database() -> dict:
    """Return where the embedded server will be found; the first connection starts it."""
    return {
        "ENGINE": "kbase.database",
        "NAME": embedded.DATABASE,
        "USER": embedded.USER,
        "HOST": str(embedded.server_in(EMBEDDED_DATA).socket_folder),
        "OPTIONS": {"data_folder": str(EMBEDDED_DATA)},
    }


def with_our_options(database: dict) -> dict:
    options = {
        # A plan per statement, made once: planning costs more than running most of our queries. No parallel workers: to
        # start them takes longer than most of our queries, and all cores are busy with other requests anyway.
        "options": "-c jit=off -c max_parallel_workers_per_gather=0 -c plan_cache_mode=force_generic_plan",
        "prepare_threshold": 2,
        "connect_timeout": 10,
        "application_name": "kbase",
    }
    persistent = {"CONN_MAX_AGE": None, "CONN_HEALTH_CHECKS": True, "DISABLE_SERVER_SIDE_CURSORS": False}
    return {**database, **persistent, "OPTIONS": {**options, **database.get("OPTIONS", {})}}


def with_short_waits(database: dict) -> dict:
    """Where another server can answer, one that is away is not waited for long."""
    waits = {"connect_timeout": 2, "tcp_user_timeout": 3000, "keepalives_idle": 5, "keepalives_interval": 1}
    return {**database, "OPTIONS": {**database["OPTIONS"], **waits}}


DATABASES = {"default": with_our_options(env_database("DATABASE_URL") or embedded_database())}
REPLICA_URLS = env_list("DATABASE_REPLICA_URLS", [])
REPLICA_LAG_SECONDS = env_int("KBASE_REPLICA_LAG_SECONDS", 5, 1, 3600)
# The replicas' names in DATABASES; kbase.reading.replicas reads from them.
REPLICAS = [f"replica_{number}" for number, _ in enumerate(REPLICA_URLS, start=1)]
if REPLICAS:
    if not env_text("DATABASE_URL"):
        raise ImproperlyConfigured("DATABASE_REPLICA_URLS needs DATABASE_URL; the embedded PostgreSQL has no replicas.")
    at_replicas = (database_at("DATABASE_REPLICA_URLS", url) for url in REPLICA_URLS)
    DATABASES |= {name: with_our_options(database) for name, database in zip(REPLICAS, at_replicas, strict=True)}
    DATABASES = {name: with_short_waits(database) for name, database in DATABASES.items()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# What processes share (kbase.shared)

CACHE_URL = env_cache("CACHE_URL")
# A store that is slower than this is not worth waiting for.
CACHE_SECONDS = 0.1


def redis_cache(url: str) -> dict:
    return {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": url,
        "OPTIONS": {
            "socket_timeout": CACHE_SECONDS,
            "socket_connect_timeout": CACHE_SECONDS,
            "serializer": "kbase.shared.Plain",
            # Version 3 begins with questions about maintenance, at each connection.
            "protocol": 2,
        },
    }


def local_cache(name: str) -> dict:
    return {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "LOCATION": name,
        "OPTIONS": {"MAX_ENTRIES": 1000},
    }


CACHES = {
    "default": local_cache("default"),
    "shared": {**(redis_cache(CACHE_URL) if CACHE_URL else local_cache("shared")), "KEY_PREFIX": "kbase"},
}

# Language and time

LANGUAGE_CODE = "en-gb"
USE_I18N = False
USE_TZ = True
TIME_ZONE = "UTC"
FORMAT_MODULE_PATH = "kbase.formats"

# Static files

STATIC_URL = "/static/"
STATIC_ROOT = KBASE_HOME / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# Safety

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = True
CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = 12 * 60 * 60
SECURE_SSL_REDIRECT = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
# The orchestrator that asks whether we live does not come through the proxy.
SECURE_REDIRECT_EXEMPT = [r"^healthz$"]
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

# What never leaves this machine needs no TLS, and Safari would refuse a Secure cookie from http://localhost, and with
# it the log-in. Once we listen to the network without KBASE_HTTPS, `check --deploy` says so.
SILENCED_SYSTEM_CHECKS = (
    []
    if HTTPS or not IS_LOCAL
    else [
        "security.W004",  # no Strict-Transport-Security
        "security.W008",  # no redirect to https
        "security.W012",  # session cookie not Secure
        "security.W016",  # CSRF cookie not Secure
    ]
)

DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000
# Where a longer body is meant: an extract of a register, with what a browser sends around it.
LONGER_BODIES = {"/admin/regulations/importrun/add/": 16 * 1024 * 1024 + 64 * 1024}
# Long enough for the parameter that is too long to be told by its name.
LONGEST_ADDRESS = 16 * 1024

# What pages of other sites may read of an answer, besides what any page may.
EXPOSED_HEADERS = [
    "ETag",
    "Link",
    "Retry-After",
    "RateLimit",
    "RateLimit-Policy",
    "Content-Disposition",
    "Location",
]

# The API

REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ["kbase.reading.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    # Nobody is known to the API: no session, hence no CSRF and no `Vary: Cookie`.
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": ["kbase.permissions.ReadOnly"],
    "UNAUTHENTICATED_USER": None,
    # `format` is a parameter of ours, not of the framework.
    "URL_FORMAT_OVERRIDE": None,
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "kbase.reading.renderers.AddressNegotiation",
    "EXCEPTION_HANDLER": "kbase.reading.problems.exception_handler",
    "DEFAULT_SCHEMA_CLASS": "kbase.reading.schema.ReadingSchema",
}

SPECTACULAR_SETTINGS = {
    "TITLE": "kbase",
    "DESCRIPTION": "Who regulates what in crypto, where, since when, and who is authorised to do it.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "POSTPROCESSING_HOOKS": ["drf_spectacular.hooks.postprocess_schema_enums", "kbase.reading.responses.with_headers"],
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "tryItOutEnabled": True},
}

# The admin

UNFOLD = {
    "SITE_TITLE": "kbase",
    "SITE_HEADER": "kbase",
    "SITE_SUBHEADER": "Crypto regulation, with its sources",
    "SITE_SYMBOL": "gavel",
    "SITE_FAVICONS": [
        {
            "rel": "icon",
            "type": "image/png",
            "href": lambda _request: static("drf_spectacular_sidecar/swagger-ui-dist/favicon-32x32.png"),
        }
    ],
    "SITE_URL": "/api/docs/",
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": True,
    "DASHBOARD_CALLBACK": "regulations.admin.navigation.index",
    "SIDEBAR": {"show_search": False, "navigation": "regulations.admin.navigation.sidebar"},
    "BORDER_RADIUS": "6px",
    # A calm blue instead of unfold's purple.
    "COLORS": {
        "primary": {
            "50": "oklch(97% .014 254.6)",
            "100": "oklch(93.2% .032 255.6)",
            "200": "oklch(88.2% .059 254.1)",
            "300": "oklch(80.9% .105 251.8)",
            "400": "oklch(70.7% .165 254.6)",
            "500": "oklch(62.3% .214 259.8)",
            "600": "oklch(54.6% .245 262.9)",
            "700": "oklch(48.8% .243 264.4)",
            "800": "oklch(42.4% .199 265.6)",
            "900": "oklch(37.9% .146 265.5)",
            "950": "oklch(28.2% .091 267.9)",
        },
    },
}

# Logs: one line each, to standard error.

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"()": "kbase.logs.OneLine", "format": "{asctime} {levelname} {name}: {message}", "style": "{"}
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": env_text("KBASE_LOG_LEVEL", "INFO").upper()},
    "loggers": {
        # Django would also print what it logs, and mail it.
        "django": {"handlers": [], "level": "INFO", "propagate": True},
        # A mistake in somebody's question is no event of ours; what fails at our end is.
        "django.request": {"level": "ERROR"},
    },
}
if LOGGING["root"]["level"] not in {"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"}:
    raise ImproperlyConfigured("KBASE_LOG_LEVEL has to be one of DEBUG, INFO, WARNING, ERROR, CRITICAL.")

refuse_unknown_variables()
