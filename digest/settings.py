"""Every setting, read from the environment; `.env.example` explains each one.

With nothing set, Paperboy runs whole on one machine in development mode. Production (DEBUG=false, the
default as soon as SECRET_KEY is set) refuses to start without its secrets.
"""

import hashlib
import os
import tempfile
from pathlib import Path
from typing import Any

import environ

from digest import branding, callers, hints, logs, paces
from digest import configuration as read
from digest.access import guards
from digest.environment import Environment

BASE_DIR = Path(__file__).resolve().parent.parent
env = Environment(os.environ)
_env_file = Path(os.environ.get("PAPERBOY_ENV_FILE", BASE_DIR / ".env"))
if "PAPERBOY_ENV_FILE" in os.environ and not _env_file.exists():
    env.refuse("PAPERBOY_ENV_FILE", f"there is no file {_env_file}.")
environ.Env.read_env(_env_file)

DEBUG = env.flag("DEBUG", default="SECRET_KEY" not in os.environ)
env.production = not DEBUG

# --- Where things lie -------------------------------------------------------------------------------------
DATA_DIR = env.read("DATA_DIR", BASE_DIR / ".paperboy", read.folder)
MAILBOX_DIR = DATA_DIR / "mailbox"
MEDIA_ROOT = DATA_DIR / "media"
STATIC_ROOT = DATA_DIR / "static"
STATIC_URL = "static/"
#: Where the count of what was sent is kept outside the database.
WITNESS_DIR = env.read("WITNESS_DIR", DATA_DIR, read.folder)

# --- Identity and secrets ---------------------------------------------------------------------------------
SECRET_KEY = env.required(
    "SECRET_KEY",
    "development-only-key-that-never-leaves-this-machine-0123456789",
    read.secret_key,
    strict=not DEBUG,
)
SITE_URL = env.required("SITE_URL", "http://localhost:8000", read.web_address, allow_http=DEBUG)
ALLOWED_HOSTS = env.required("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]", read.hosts, strict=not DEBUG)
TOKEN_KEYS = env.required("TOKEN_KEYS", "dev:development-only-token-key-0123456789abcdef", read.key_ring)
#: A pepper made from SECRET_KEY changes with it, and all hashes of addresses with both.
PEPPER_FROM_SECRET_KEY = not env.text("ADDRESS_PEPPER", "")
ADDRESS_PEPPER = env.text("ADDRESS_PEPPER", "") or read.derive(SECRET_KEY, "address pepper")

# --- The list ---------------------------------------------------------------------------------------------
LIST_NAME = env.read("LIST_NAME", "Daily Papers", read.one_line, longest=60)
DEFAULT_FROM_EMAIL = env.required(
    "DEFAULT_FROM_EMAIL", f"{LIST_NAME} <papers@paperboy.example>", read.mailbox
)
MAIL_DOMAIN = DEFAULT_FROM_EMAIL.rpartition("@")[2].rstrip(">")
LIST_ID = env.read("LIST_ID", f"daily.{MAIL_DOMAIN}", read.one_line)
POSTAL_ADDRESS = env.required(
    "POSTAL_ADDRESS", "Paperboy (development), 1 Example Street, Example Town", read.one_line
)
BYLINE = env.read("BYLINE", "the curators", read.one_line, longest=60)
CONTACT_EMAIL = env.read("CONTACT_EMAIL", DEFAULT_FROM_EMAIL, read.mailbox)
EDITION_HOUR = env.read("EDITION_HOUR", "6", read.whole_number, least=0, most=23)
EDITION_ZONE = env.read("EDITION_ZONE", "UTC", read.zone)
EDITION_REQUIRES_APPROVAL = env.flag("EDITION_REQUIRES_APPROVAL", default=False)

# --- Sources ----------------------------------------------------------------------------------------------
SOURCES = env.read("SOURCES", ",".join(read.SOURCES), read.chosen, among=read.SOURCES)
HUGGINGFACE_URL = env.read("HUGGINGFACE_URL", "https://huggingface.co", read.web_address, allow_http=DEBUG)
ARXIV_API_URL = env.read(
    "ARXIV_API_URL", "https://export.arxiv.org/api/query", read.web_address, allow_http=DEBUG
)
ARXIV_FEED_URL = env.read("ARXIV_FEED_URL", "https://rss.arxiv.org", read.web_address, allow_http=DEBUG)
ARXIV_CATEGORIES = env.read("ARXIV_CATEGORIES", "cs.AI,cs.CL,cs.CV,cs.LG,cs.RO,stat.ML", read.names)
THUMBNAIL_HOSTS = env.read(
    "THUMBNAIL_HOSTS", "cdn-thumbnails.huggingface.co,cdn-uploads.huggingface.co", read.names
)

# --- The door ---------------------------------------------------------------------------------------------
#: Proxies in front that each add an address to X-Forwarded-For; what stands before theirs anybody can write.
PROXY_HOPS = env.read("PROXY_HOPS", "0", read.whole_number, least=0, most=5)
#: Sites that may show the sign-up form in a frame and post to the JSON endpoint.
EMBED_ORIGINS = env.read("EMBED_ORIGINS", "", read.origins, allow_http=DEBUG)
#: Sign-ups within an hour: from one network (/24, /48), for one mail domain, in all.
SIGNUPS_PER_NETWORK = env.read("SIGNUPS_PER_NETWORK", "20", read.whole_number, least=1, most=10**6)
SIGNUPS_PER_DOMAIN = env.read("SIGNUPS_PER_DOMAIN", "500", read.whole_number, least=1, most=10**6)
SIGNUPS_PER_HOUR = env.read("SIGNUPS_PER_HOUR", "2000", read.whole_number, least=1, most=10**6)
CAPTCHA = env.read("CAPTCHA", "", read.captcha)
CAPTCHA_SITE_KEY = env.text("CAPTCHA_SITE_KEY", "")
CAPTCHA_SECRET_KEY = env.text("CAPTCHA_SECRET_KEY", "")
if CAPTCHA and not (CAPTCHA_SITE_KEY and CAPTCHA_SECRET_KEY):
    env.refuse("CAPTCHA_SITE_KEY and CAPTCHA_SECRET_KEY", f"CAPTCHA={CAPTCHA} needs both.")

# --- Database: SQLite beside the code, or what DATABASE_URL names -----------------------------------------
DATABASES = {
    "default": env.read(
        "DATABASE_URL",
        f"sqlite:///{DATA_DIR / 'paperboy.sqlite3'}",
        read.database,
        tests=DATA_DIR / "tests.sqlite3",
    )
}
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
REDIS_URL = env.read("REDIS_URL", f"unix://{VALKEY_SOCKET}", read.broker)
EMBEDDED_VALKEY = "REDIS_URL" not in os.environ
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        # Two installations may share one Redis.
        "KEY_PREFIX": read.derive(SECRET_KEY, "cache keys")[:16],
        # Without these a black-holed cache holds each page for minutes.
        "OPTIONS": {"socket_connect_timeout": 0.5, "socket_timeout": 1.0},
    }
}

# --- Mail: a folder in development, else SMTP or one of Anymail's providers --------------------------------
EMAIL_TIMEOUT = 30
ANYMAIL_PROVIDER = env.text("ANYMAIL_PROVIDER", "").lower().replace("-", "_")
ANYMAIL: dict[str, Any] = {}
EMAIL_BACKEND = "digest.mailbox.EmailBackend"
#: What else must be right before an event of Amazon SES or of Resend is believed.
SES_TOPIC_ARNS = env.read("SES_TOPIC_ARNS", "", callers.topics)
RESEND_SIGNING_SECRET = env.read("RESEND_SIGNING_SECRET", "", callers.svix_secret)
if ANYMAIL_PROVIDER:
    with env.noting():
        ANYMAIL = read.anymail(ANYMAIL_PROVIDER, os.environ)
    #: Without it the provider's events are not taken: anybody could post them.
    ANYMAIL["WEBHOOK_SECRET"] = env.read("WEBHOOK_SECRET", "", callers.webhook_secrets)
    # Anymail puts Resend's idempotency key into the body, where Resend does not look; ours is a header.
    _backends = "subscribers" if ANYMAIL_PROVIDER == "resend" else "anymail.backends"
    EMAIL_BACKEND = f"{_backends}.{ANYMAIL_PROVIDER}.EmailBackend"
elif "EMAIL_URL" in os.environ:
    vars().update(env.read("EMAIL_URL", {}, read.mail_server))
elif not DEBUG:
    env.refuse("EMAIL_URL", "production needs it (smtp+tls://user:password@host:587), or ANYMAIL_PROVIDER.")
#: Sender threads of one worker, each with a connection of its own.
SENDERS = env.read("SENDERS", "12" if ANYMAIL_PROVIDER else "2", read.whole_number, least=1, most=32)
#: Messages between their `submitting` commit and their outcome, per worker: what a crash leaves unknown.
IN_FLIGHT = env.read("IN_FLIGHT", "24", read.whole_number, least=1, most=100)
#: At most so many mails: all of them, by mailbox provider, by day for a new sending domain.
SEND_RATE = env.read("SEND_RATE", "", paces.send_rates)
SEND_QUOTA = env.read("SEND_QUOTA", "", paces.send_rates)
DOMAIN_RATES = env.read("DOMAIN_RATES", "", paces.domain_rates)
WARMUP_START = env.read("WARMUP_START", "", paces.first_day)
#: How long a claim holds, in seconds, before another worker may take it over.
LEASE_SECONDS = env.read("LEASE_SECONDS", "300", read.whole_number, least=1, most=3600)

# --- Celery: messages are hints, the database is the truth -------------------------------------------------
#: Seconds between two looks of the clock at what is due; a dead worker's lapsed claims are noticed then, too.
TICK_SECONDS = env.read("TICK_SECONDS", "60", read.whole_number, least=1, most=60)
# What was refused is the default's text still.
vars().update(hints.celery(REDIS_URL, DATA_DIR, tick_seconds=int(TICK_SECONDS)))

# --- Django ------------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "digest.apps.DigestConfig",
    "subscribers.apps.SubscribersConfig",
    "unfold.apps.BasicAppConfig",
    "digest.access.apps.DeskConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.humanize",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "anymail",
    "import_export",
    "csp",
    "axes",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_otp.plugins.otp_static",
]
MIDDLEWARE = [
    "digest.tracing.RequestIdMiddleware",
    "digest.probing.ProbeMiddleware",  # before hosts and TLS are looked at
    "digest.outages.OutageMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "digest.access.policy.PolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "digest.access.gate.GateMiddleware",
    "axes.middleware.AxesMiddleware",  # the last: it makes the answer of a locked login
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
FORMAT_MODULE_PATH = ["digest.formats"]  # en-gb alone says "7:55 p.m."
TIME_ZONE = "UTC"
USE_I18N = False
USE_TZ = True

# --- Who may come to the desk ------------------------------------------------------------------------------
vars().update(guards.settings(LIST_NAME))
#: Whether operators and owners need a second factor, and curators who have one are asked for it.
ADMIN_TWO_FACTOR = env.flag("ADMIN_TWO_FACTOR", default=not DEBUG)
#: How the desk looks, and what it is called.
UNFOLD = branding.unfold(LIST_NAME)

# --- Behind the browser's bars -----------------------------------------------------------------------------
CONTENT_SECURITY_POLICY = {"DIRECTIVES": guards.PUBLIC_POLICY}
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_TRUSTED_ORIGINS = [SITE_URL]
if not DEBUG:
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
    SECURE_SSL_REDIRECT = env.flag("SECURE_SSL_REDIRECT", default=True)
    # One-click unsubscribe must never meet a redirect (RFC 8058 section 3.1).
    SECURE_REDIRECT_EXEMPT = [r"^u/"]
    SECURE_HSTS_SECONDS = 365 * 24 * 3600
    SECURE_HSTS_INCLUDE_SUBDOMAINS = env.flag("SECURE_HSTS_INCLUDE_SUBDOMAINS", default=True)
    SECURE_HSTS_PRELOAD = env.flag("SECURE_HSTS_PRELOAD", default=True)
    if env.flag("TRUST_PROXY_TLS", default=True):
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# --- Logs: no address and no secret goes in ----------------------------------------------------------------
LOGGING = logs.configure(level=env.read("LOG_LEVEL", "INFO", read.log_level), readable=DEBUG)
#: By it /metrics answers, and /readyz says what is wrong.
METRICS_TOKEN = env.read("METRICS_TOKEN", "", callers.metrics_token)
SENTRY_DSN = env.text("SENTRY_DSN", "")
if SENTRY_DSN:
    import sentry_sdk

    try:
        sentry_sdk.init(
            dsn=SENTRY_DSN,
            send_default_pii=False,
            include_local_variables=False,
            before_send=logs.without_readers_in_report,
        )
    except sentry_sdk.utils.BadDsn:
        env.refuse("SENTRY_DSN", "this is no DSN. Copy it whole from your Sentry project.")

env.finish()
