"""Every setting, read from the environment; `.env.example` explains each one.

With nothing set, Paperboy runs whole on one machine in development mode. Production (DEBUG=false, the
default as soon as SECRET_KEY is set) refuses to start without its secrets.
"""

import hashlib
import os
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from digest import configuration as read
from digest import logs

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
environ.Env.read_env(os.environ.get("PAPERBOY_ENV_FILE", BASE_DIR / ".env"))

DEBUG = env.bool("DEBUG", default="SECRET_KEY" not in os.environ)


def required(name: str, development: str) -> str:
    """Return the setting `name`; `development` stands in for it in development only."""
    value: str = env.str(name, default=development if DEBUG else "")
    if not value:
        raise read.refuse(name, "production needs it. Set it, or set DEBUG=true on a development machine.")
    return value


# --- Where things lie -------------------------------------------------------------------------------------
DATA_DIR = Path(env.str("DATA_DIR", default=str(BASE_DIR / ".paperboy"))).resolve()
DATA_DIR.mkdir(parents=True, exist_ok=True)
MAILBOX_DIR = DATA_DIR / "mailbox"
MEDIA_ROOT = DATA_DIR / "media"
STATIC_ROOT = DATA_DIR / "static"
STATIC_URL = "static/"

# --- Identity and secrets ---------------------------------------------------------------------------------
SECRET_KEY = required("SECRET_KEY", "development-only-key-that-never-leaves-this-machine-0123456789")
if not DEBUG and (len(SECRET_KEY) < 50 or SECRET_KEY.startswith("development-only")):
    raise read.refuse("SECRET_KEY", "use 50 random characters or more, made for this installation alone.")
SITE_URL = read.web_address("SITE_URL", required("SITE_URL", "http://localhost:8000"), allow_http=DEBUG)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"] if DEBUG else [])
if not ALLOWED_HOSTS:
    raise read.refuse("ALLOWED_HOSTS", "name the hosts that serve Paperboy, separated by commas.")
if not DEBUG and "*" in ALLOWED_HOSTS:
    raise read.refuse("ALLOWED_HOSTS", "* lets anyone forge links in mails. Name the hosts.")
TOKEN_KEYS = read.key_ring(
    "TOKEN_KEYS", required("TOKEN_KEYS", "dev:development-only-token-key-0123456789abcdef").split(",")
)
ADDRESS_PEPPER = env.str("ADDRESS_PEPPER", default=read.derive(SECRET_KEY, "address pepper"))

# --- The list ---------------------------------------------------------------------------------------------
LIST_NAME = read.one_line("LIST_NAME", env.str("LIST_NAME", default="Daily Papers"), longest=60)
DEFAULT_FROM_EMAIL = read.mailbox(
    "DEFAULT_FROM_EMAIL", required("DEFAULT_FROM_EMAIL", f"{LIST_NAME} <papers@paperboy.example>")
)
MAIL_DOMAIN = DEFAULT_FROM_EMAIL.rpartition("@")[2].rstrip(">")
LIST_ID = read.one_line("LIST_ID", env.str("LIST_ID", default=f"daily.{MAIL_DOMAIN}"))
POSTAL_ADDRESS = read.one_line(
    "POSTAL_ADDRESS", required("POSTAL_ADDRESS", "Paperboy (development), 1 Example Street, Example Town")
)
BYLINE = read.one_line("BYLINE", env.str("BYLINE", default="the curators"), longest=60)
CONTACT_EMAIL = read.mailbox("CONTACT_EMAIL", env.str("CONTACT_EMAIL", default=DEFAULT_FROM_EMAIL))
EDITION_HOUR = read.whole_number("EDITION_HOUR", env.str("EDITION_HOUR", default="6"), least=0, most=23)
EDITION_ZONE = read.zone("EDITION_ZONE", env.str("EDITION_ZONE", default="UTC"))
EDITION_REQUIRES_APPROVAL = env.bool("EDITION_REQUIRES_APPROVAL", default=False)

# --- Sources ----------------------------------------------------------------------------------------------
SOURCES = read.chosen("SOURCES", env.list("SOURCES", default=list(read.SOURCES)), among=read.SOURCES)
HUGGINGFACE_URL = read.web_address(
    "HUGGINGFACE_URL", env.str("HUGGINGFACE_URL", default="https://huggingface.co"), allow_http=DEBUG
)
ARXIV_API_URL = read.web_address(
    "ARXIV_API_URL", env.str("ARXIV_API_URL", default="https://export.arxiv.org/api/query"), allow_http=DEBUG
)
ARXIV_FEED_URL = read.web_address(
    "ARXIV_FEED_URL", env.str("ARXIV_FEED_URL", default="https://rss.arxiv.org"), allow_http=DEBUG
)
ARXIV_CATEGORIES = env.list(
    "ARXIV_CATEGORIES", default=["cs.AI", "cs.CL", "cs.CV", "cs.LG", "cs.RO", "stat.ML"]
)
THUMBNAIL_HOSTS = env.list(
    "THUMBNAIL_HOSTS", default=["cdn-thumbnails.huggingface.co", "cdn-uploads.huggingface.co"]
)

# --- Database: SQLite beside the code, or what DATABASE_URL names -----------------------------------------
DATABASES: dict[str, dict[str, Any]] = {
    "default": env.db_url("DATABASE_URL", default=f"sqlite:///{DATA_DIR / 'paperboy.sqlite3'}")
}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["TEST"] = {"NAME": str(DATA_DIR / "tests.sqlite3")}  # a file: threads share it
    DATABASES["default"]["OPTIONS"] = {
        "timeout": 20,
        "transaction_mode": "IMMEDIATE",
        # FULL: a committed `submitting` must survive a power cut, else a mail could leave twice.
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA busy_timeout=20000;",
    }
elif DATABASES["default"]["ENGINE"].endswith("postgresql"):
    DATABASES["default"].setdefault("OPTIONS", {})
    DATABASES["default"]["CONN_MAX_AGE"] = 300
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
else:
    raise read.refuse("DATABASE_URL", "use sqlite:///path or postgres://user:password@host/name.")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"


# --- Redis: the embedded Valkey's socket, or what REDIS_URL names -----------------------------------------
def _socket() -> Path:
    """Return where the embedded Valkey listens; a socket's path is limited to 108 bytes (unix(7))."""
    beside = DATA_DIR / "valkey.sock"
    if len(os.fsencode(beside)) < 100:
        return beside
    return (
        Path(tempfile.gettempdir())
        / f"paperboy-{hashlib.sha256(os.fsencode(DATA_DIR)).hexdigest()[:12]}.sock"
    )


VALKEY_SOCKET = _socket()
REDIS_URL = env.str("REDIS_URL", default=f"unix://{VALKEY_SOCKET}")
EMBEDDED_VALKEY = "REDIS_URL" not in os.environ
if urlsplit(REDIS_URL).scheme not in {"redis", "rediss", "unix"}:
    raise read.refuse("REDIS_URL", "use redis://host:6379/0, rediss://host:6379/0 or unix:///path/to.sock.")
CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}}
# kombu says redis+socket: where redis-py says unix:.
CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://", 1)

# --- Mail: a folder in development, else SMTP or one of Anymail's providers --------------------------------
EMAIL_TIMEOUT = 30
ANYMAIL_PROVIDER = env.str("ANYMAIL_PROVIDER", default="").lower().replace("-", "_")
ANYMAIL: dict[str, Any] = {}
_mail_schemes = {"smtp", "smtp+tls", "smtp+ssl", "consolemail", "filemail"}
if ANYMAIL_PROVIDER:
    ANYMAIL = read.anymail(ANYMAIL_PROVIDER, os.environ)
    # Anymail puts Resend's idempotency key into the body, where Resend does not look; ours is a header.
    _backends = "subscribers" if ANYMAIL_PROVIDER == "resend" else "anymail.backends"
    EMAIL_BACKEND = f"{_backends}.{ANYMAIL_PROVIDER}.EmailBackend"
elif "EMAIL_URL" in os.environ:
    if urlsplit(env.str("EMAIL_URL")).scheme not in _mail_schemes:
        raise read.refuse(
            "EMAIL_URL",
            f"use one of {', '.join(sorted(_mail_schemes))}, such as smtp+tls://user:password@host:587.",
        )
    _mail = env.email_url("EMAIL_URL")
    vars().update({name: value for name, value in _mail.items() if name.startswith("EMAIL_")})
    # Django's SMTP backend does not tell how far a message got on the wire; ours does.
    _over_smtp = _mail["EMAIL_BACKEND"] == "django.core.mail.backends.smtp.EmailBackend"
    EMAIL_BACKEND = "subscribers.smtp.EmailBackend" if _over_smtp else _mail["EMAIL_BACKEND"]
elif DEBUG:
    EMAIL_BACKEND = "digest.mailbox.EmailBackend"
else:
    raise read.refuse(
        "EMAIL_URL", "production needs it (smtp+tls://user:password@host:587), or ANYMAIL_PROVIDER."
    )
_over_http = bool(ANYMAIL_PROVIDER)
#: Sender threads of one worker, each with a connection of its own.
SENDERS = read.whole_number(
    "SENDERS", env.str("SENDERS", default="12" if _over_http else "2"), least=1, most=32
)
#: Messages between their `submitting` commit and their outcome, per worker: what a crash leaves unknown.
IN_FLIGHT = read.whole_number("IN_FLIGHT", env.str("IN_FLIGHT", default="24"), least=1, most=100)
#: How long a claim holds, in seconds, before another worker may take it over.
LEASE_SECONDS = read.whole_number(
    "LEASE_SECONDS", env.str("LEASE_SECONDS", default="300"), least=1, most=3600
)

# --- Celery: messages are hints, the database is the truth -------------------------------------------------
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_TIME_LIMIT = 600  # well below the broker's visibility timeout of an hour
CELERY_TASK_SOFT_TIME_LIMIT = 540
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# Without these a black-holed broker holds a sender of messages for 45 s and more.
CELERY_BROKER_TRANSPORT_OPTIONS = {"socket_timeout": 5, "socket_connect_timeout": 1}
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1}
CELERY_TIMEZONE = "UTC"
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA_DIR / "beat-schedule")
CELERY_BEAT_SCHEDULE = {
    "tick": {"task": "digest.tasks.tick", "schedule": 60.0, "options": {"expires": 55}},
    # Who has just signed up looks for the mail now, not in a minute; and the web never waits for the broker.
    "outbox": {"task": "subscribers.tasks.send_outbox", "schedule": 10.0, "options": {"expires": 9}},
}

# --- Django ------------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "digest.apps.DigestConfig",
    "subscribers.apps.SubscribersConfig",
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "anymail",
    "csp",
    "django_structlog",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "digest.urls"
WSGI_APPLICATION = "digest.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "subscribers.context.the_list",
            ],
        },
    }
]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_I18N = False
USE_TZ = True

# --- Behind the browser's bars -----------------------------------------------------------------------------
CONTENT_SECURITY_POLICY = {
    "EXCLUDE_URL_PREFIXES": ["/admin/"],
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-src": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "manifest-src": [SELF],
    },
}
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_TRUSTED_ORIGINS = [SITE_URL]
if not DEBUG:
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
    SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=True)
    # One-click unsubscribe must never meet a redirect (RFC 8058 section 3.1).
    SECURE_REDIRECT_EXEMPT = [r"^u/"]
    SECURE_HSTS_SECONDS = 365 * 24 * 3600
    SECURE_HSTS_INCLUDE_SUBDOMAINS = env.bool("SECURE_HSTS_INCLUDE_SUBDOMAINS", default=True)
    SECURE_HSTS_PRELOAD = env.bool("SECURE_HSTS_PRELOAD", default=True)
    if env.bool("TRUST_PROXY_TLS", default=True):
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# --- Logs: no address and no secret goes in ----------------------------------------------------------------
LOGGING = logs.configure(level=env.str("LOG_LEVEL", default="INFO"), readable=DEBUG)
SENTRY_DSN = env.str("SENTRY_DSN", default="")
if SENTRY_DSN:
    import sentry_sdk

    try:
        sentry_sdk.init(
            dsn=SENTRY_DSN,
            send_default_pii=False,
            include_local_variables=False,
            before_send=logs.without_links_in_report,
        )
    except sentry_sdk.utils.BadDsn as error:
        raise ImproperlyConfigured(
            "SENTRY_DSN: this is no DSN. Copy it whole from your Sentry project."
        ) from error
