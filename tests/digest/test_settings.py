"""Settings: nothing set works, nonsense is refused in a sentence, production needs its secrets."""

import json
import os
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import get_connection
from django.test import override_settings

from digest import configuration as read
from subscribers.links import unsubscribe_url
from subscribers.mail import compose_digest

PRODUCTION = {
    "SECRET_KEY": "x7" * 30,
    "TOKEN_KEYS": "k1:" + "s" * 40,
    "ALLOWED_HOSTS": "papers.example.org",
    "SITE_URL": "https://papers.example.org",
    "EMAIL_URL": "smtp+tls://user:secret@mail.example.org:587",
    "DEFAULT_FROM_EMAIL": "Daily Papers <papers@example.org>",
    "POSTAL_ADDRESS": "1 Example Street, Example Town",
}
SHOW = """
import json, django
from django.conf import settings
django.setup()
names = "DEBUG EMAIL_BACKEND EMAIL_HOST EMAIL_USE_TLS SENDERS SITE_URL CELERY_BROKER_URL".split()
print(json.dumps({name: getattr(settings, name, None) for name in names} | {
    "engine": settings.DATABASES["default"]["ENGINE"], "anymail": settings.ANYMAIL}))
"""


def started(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Start Python with these settings and nothing else, in a process of its own."""
    clean = {"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "digest.settings", "DATA_DIR": str(folder)}
    return subprocess.run(
        [sys.executable, "-c", SHOW],
        env={**clean, "PAPERBOY_ENV_FILE": os.devnull, **environment},
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=False,
    )


def values(folder: Path, **environment: str) -> dict[str, object]:
    done = started(folder, **environment)
    assert done.returncode == 0, done.stderr
    shown: dict[str, object] = json.loads(done.stdout)
    return shown


def complaint(folder: Path, **environment: str) -> str:
    done = started(folder, **environment)
    assert done.returncode != 0
    return done.stderr.strip().splitlines()[-1]


def test_with_nothing_set_everything_is_on_this_machine(tmp_path: Path) -> None:
    found = values(tmp_path)
    assert found["DEBUG"] is True
    assert found["EMAIL_BACKEND"] == "digest.mailbox.EmailBackend"
    assert found["engine"] == "django.db.backends.sqlite3"
    assert str(found["CELERY_BROKER_URL"]).startswith("redis+socket:///")


def test_a_secret_key_means_production(tmp_path: Path) -> None:
    found = values(tmp_path, **PRODUCTION)
    assert found["DEBUG"] is False
    assert (found["EMAIL_BACKEND"], found["EMAIL_HOST"]) == (
        "subscribers.smtp.EmailBackend",
        "mail.example.org",
    )
    assert found["EMAIL_USE_TLS"] is True


@pytest.mark.parametrize("name", sorted(PRODUCTION))
def test_production_does_not_start_without(tmp_path: Path, name: str) -> None:
    rest = {key: value for key, value in PRODUCTION.items() if key != name}
    assert name in complaint(tmp_path, DEBUG="false", **rest)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("SECRET_KEY", "short", "50 random characters"),
        ("SITE_URL", "http://papers.example.org", "not encrypted"),
        ("HUGGINGFACE_URL", "http://mirror.example.org", "not encrypted"),
        ("ARXIV_API_URL", "ftp://example.org", "not a web address"),
        ("ALLOWED_HOSTS", "*", "Name the hosts"),
        ("TOKEN_KEYS", "no-colon", "id:secret"),
        ("TOKEN_KEYS", "k1:" + "s" * 40 + ",k1:" + "t" * 40, "twice"),
        ("EDITION_HOUR", "25", "0 to 23"),
        ("EDITION_HOUR", "six", "not a whole number"),
        ("EDITION_ZONE", "Mars/Olympus", "IANA"),
        ("DEFAULT_FROM_EMAIL", "nobody", "mailbox"),
        ("POSTAL_ADDRESS", "two\nlines", "one line"),
        ("EMAIL_URL", "gopher://example.org", "smtp+tls"),
        ("DATABASE_URL", "mysql://u:p@h/d", "postgres://"),
        ("REDIS_URL", "amqp://localhost", "redis://"),
        ("ANYMAIL_PROVIDER", "pigeon", "postmark"),
        ("ANYMAIL_PROVIDER", "postmark", "POSTMARK_SERVER_TOKEN"),
        ("IN_FLIGHT", "1000", "1 to 100"),
        ("SOURCES", "usenet", "huggingface"),
        ("SENTRY_DSN", "nonsense", "SENTRY_DSN"),
    ],
)
def test_nonsense_is_refused_with_a_sentence(tmp_path: Path, name: str, value: str, says: str) -> None:
    assert says in complaint(tmp_path, **{**PRODUCTION, name: value})


def test_a_secret_is_not_repeated_in_a_complaint(tmp_path: Path) -> None:
    assert "hunter2" not in complaint(tmp_path, **{**PRODUCTION, "TOKEN_KEYS": "k1:hunter2"})


def test_a_provider_takes_its_keys_and_more_senders(tmp_path: Path) -> None:
    found = values(tmp_path, **PRODUCTION, ANYMAIL_PROVIDER="postmark", POSTMARK_SERVER_TOKEN="t0")
    assert found["EMAIL_BACKEND"] == "anymail.backends.postmark.EmailBackend"
    assert found["anymail"]["POSTMARK_SERVER_TOKEN"] == "t0"  # type: ignore[index]
    assert found["anymail"]["SEND_DEFAULTS"] == {"track_opens": False, "track_clicks": False}  # type: ignore[index]
    assert 8 <= int(str(found["SENDERS"])) <= 16


def test_every_named_provider_has_a_backend() -> None:
    for name in read.PROVIDERS:
        path = Path(sys.modules["anymail"].__file__ or "").parent / "backends" / f"{name}.py"
        assert path.exists(), name


@pytest.mark.parametrize("value", ["https://example.org/papers/", "https://example.org/papers"])
def test_a_web_address_loses_only_its_last_slash(value: str) -> None:
    assert read.web_address("SITE_URL", value, allow_http=False) == "https://example.org/papers"


@pytest.mark.parametrize("value", ["https://user@example.org", "https://example.org/?q=1", "example.org", ""])
def test_what_is_no_plain_web_address_is_refused(value: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="SITE_URL"):
        read.web_address("SITE_URL", value, allow_http=True)


@pytest.mark.parametrize("provider", sorted(set(read.PROVIDERS) - {"amazon_ses"}))
def test_a_digest_can_be_put_into_every_providers_words(provider: str) -> None:
    keys = dict.fromkeys(read.PROVIDERS[provider], "https://example.org/key")
    digest = compose_digest(
        to="reader@example.org",
        subscriber_public_id="s" * 22,
        delivery_public_id="d" * 22,
        edition_day=date(2026, 3, 4),
        subject="Daily Papers",
        html=f"<p>{unsubscribe_url('s' * 22, 'd' * 22)}</p>",
        text=unsubscribe_url("s" * 22, "d" * 22),
        at=datetime(2026, 3, 4, tzinfo=UTC),
    )
    backend = "subscribers" if provider == "resend" else "anymail.backends"
    with override_settings(ANYMAIL=read.anymail(provider, keys)):
        connection: Any = get_connection(f"{backend}.{provider}.EmailBackend")
        assert connection.build_message_payload(digest, connection.send_defaults)
