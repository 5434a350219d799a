"""Where the tests live: a folder of their own, removed afterwards, whatever the developer's machine has set.

Loaded as a plugin before Django reads its settings. DATABASE_URL and REDIS_URL are kept: with them the same
tests run on PostgreSQL and Redis.
"""

import atexit
import os
import shutil
import tempfile

SETTINGS = """
    SECRET_KEY DEBUG ALLOWED_HOSTS SITE_URL EMAIL_URL ANYMAIL_PROVIDER DEFAULT_FROM_EMAIL POSTAL_ADDRESS
    LIST_NAME LIST_ID TOKEN_KEYS ADDRESS_PEPPER HUGGINGFACE_URL ARXIV_API_URL ARXIV_FEED_URL
    ARXIV_CATEGORIES CONTACT_EMAIL EDITION_HOUR EDITION_ZONE EDITION_REQUIRES_APPROVAL SENTRY_DSN BYLINE
    SOURCES SENDERS IN_FLIGHT LEASE_SECONDS TICK_SECONDS LOG_LEVEL PROXY_HOPS EMBED_ORIGINS
    SIGNUPS_PER_NETWORK SIGNUPS_PER_DOMAIN SIGNUPS_PER_HOUR CAPTCHA CAPTCHA_SITE_KEY CAPTCHA_SECRET_KEY
    WEBHOOK_SECRET SES_TOPIC_ARNS RESEND_SIGNING_SECRET ADMIN_TWO_FACTOR THUMBNAIL_HOSTS
    SECURE_SSL_REDIRECT TRUST_PROXY_TLS
    SEND_RATE SEND_QUOTA DOMAIN_RATES WARMUP_START
    SECURE_HSTS_PRELOAD SECURE_HSTS_INCLUDE_SUBDOMAINS
    WITNESS_DIR METRICS_TOKEN
""".split()

for _name in SETTINGS:
    os.environ.pop(_name, None)
_data = tempfile.mkdtemp(prefix="paperboy-tests-")
os.environ["DATA_DIR"] = _data
os.environ["SITE_URL"] = (
    "https://papers.example.org"  # as in production: mails refuse to leave with http links
)
os.environ["PAPERBOY_ENV_FILE"] = os.devnull
atexit.register(shutil.rmtree, _data, ignore_errors=True)
