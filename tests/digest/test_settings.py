"""Settings: nothing set works, nonsense is refused in a sentence, production needs its secrets."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import get_connection
from django.test import override_settings

from digest import configuration as read
from digest.postgresql import LINE
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
names = "DEBUG EMAIL_BACKEND EMAIL_HOST EMAIL_USE_TLS SENDERS SITE_URL CELERY_BROKER_URL"
names = [*names.split(), "PEPPER_FROM_SECRET_KEY", "ADDRESS_PEPPER"]
print(json.dumps({name: getattr(settings, name, None) for name in names} | {
    "engine": settings.DATABASES["default"]["ENGINE"], "anymail": settings.ANYMAIL,
    "cache_prefix": settings.CACHES["default"]["KEY_PREFIX"],
    "tick": settings.CELERY_BEAT_SCHEDULE["tick"]["schedule"]}))
"""


def started(
    folder: Path, *, program: Sequence[str] = ("-c", SHOW), **environment: str
) -> subprocess.CompletedProcess[str]:
    """Start Python with these settings and nothing else, in a process of its own."""
    clean = {"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "digest.settings", "DATA_DIR": str(folder)}
    return subprocess.run(
        [sys.executable, *program],
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
    return done.stderr.rpartition("ImproperlyConfigured: ")[2]


def test_with_nothing_set_everything_is_on_this_machine(tmp_path: Path) -> None:
    found = values(tmp_path)
    assert found["DEBUG"] is True
    assert found["EMAIL_BACKEND"] == "digest.mailbox.EmailBackend"
    assert found["engine"] == "django.db.backends.sqlite3"
    assert str(found["CELERY_BROKER_URL"]).startswith("redis+socket:///")


def test_the_clock_looks_as_often_as_asked(tmp_path: Path) -> None:
    assert values(tmp_path)["tick"] == 60
    assert values(tmp_path, TICK_SECONDS="1")["tick"] == 1
    assert complaint(tmp_path, TICK_SECONDS="0").startswith("TICK_SECONDS: 0 is out of range")


def test_a_secret_key_means_production(tmp_path: Path) -> None:
    found = values(tmp_path, **PRODUCTION)
    assert found["DEBUG"] is False
    assert (found["EMAIL_BACKEND"], found["EMAIL_HOST"]) == (
        "subscribers.smtp.EmailBackend",
        "mail.example.org",
    )
    assert found["EMAIL_USE_TLS"] is True


def test_a_pepper_of_its_own_is_told_from_one_made_of_the_secret_key(tmp_path: Path) -> None:
    for given, derived in ({}, True), ({"ADDRESS_PEPPER": ""}, True), ({"ADDRESS_PEPPER": "p" * 50}, False):
        found = values(tmp_path, **PRODUCTION, **given)
        assert found["PEPPER_FROM_SECRET_KEY"] is derived
        assert (found["ADDRESS_PEPPER"] == "p" * 50) is not derived
        assert found["ADDRESS_PEPPER"]


def test_two_installations_on_one_redis_have_keys_of_their_own(tmp_path: Path) -> None:
    ones, others = (
        str(values(tmp_path, **{**PRODUCTION, "SECRET_KEY": key * 30})["cache_prefix"])
        for key in ("x7", "y8")
    )
    assert len(ones) == len(others) == 16
    assert ones != others


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
        ("LOG_LEVEL", "loud", "ERROR"),
        ("DEBUG", "maybe", "DEBUG: 'maybe' is neither on nor off. Use true or false."),
        ("EDITION_REQUIRES_APPROVAL", "", "Use true or false"),
        ("TRUST_PROXY_TLS", "ok", "Use true or false"),
        ("DATA_DIR", "/proc/x", "/proc/x cannot be made"),
        ("SITE_URL", "https://[papers", "not a web address"),
        ("PAPERBOY_ENV_FILE", "/nowhere/paperboy.env", "there is no file /nowhere/paperboy.env"),
    ],
)
def test_nonsense_is_refused_with_a_sentence(tmp_path: Path, name: str, value: str, says: str) -> None:
    assert says in complaint(tmp_path, **{**PRODUCTION, name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TOKEN_KEYS", "k1:hunter2"),
        ("SECRET_KEY", "hunter2"),
        ("DATABASE_URL", "postgres://ada:hunter2/3@db.example.org/papers"),
        ("DATABASE_URL", "postgres://ada:x@db.example.org:hunter2/papers"),
        ("DATABASE_URL", "//ada:hunter2@db.example.org/papers"),
        ("REDIS_URL", "redis://:hunter2/3@redis.example.org"),
        ("EMAIL_URL", "smtp+tls://ada:hunter2/3@mail.example.org:587"),
    ],
)
def test_a_secret_is_not_repeated_in_a_complaint(tmp_path: Path, name: str, value: str) -> None:
    done = started(tmp_path, **{**PRODUCTION, name: value})
    assert f"ImproperlyConfigured: {name}: " in done.stderr
    assert "hunter2" not in done.stderr


def test_all_that_is_wrong_is_told_at_once_and_nothing_else(tmp_path: Path) -> None:
    wrong = {
        "SECRET_KEY": "short",
        "EDITION_HOUR": "25",
        "ANYMAIL_PROVIDER": "mailjet",
        "TRUST_PROXY_TLS": "?",
    }
    told = complaint(tmp_path, DEBUG="false", **wrong).splitlines()
    assert [line.partition(":")[0] for line in told] == [
        "SECRET_KEY",
        "SITE_URL",
        "ALLOWED_HOSTS",
        "TOKEN_KEYS",
        "DEFAULT_FROM_EMAIL",
        "POSTAL_ADDRESS",
        "EDITION_HOUR",
        "MAILJET_API_KEY and MAILJET_SECRET_KEY",
        "TRUST_PROXY_TLS",
    ]


@pytest.mark.parametrize("command", ["check", "edition", "runserver"])
def test_on_the_command_line_only_the_sentences_are_seen(tmp_path: Path, command: str) -> None:
    done = started(tmp_path, program=["manage.py", command], EDITION_HOUR="25", DEBUG="maybe")
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "DEBUG: 'maybe' is neither on nor off. Use true or false.",
        "EDITION_HOUR: 25 is out of range. Use 0 to 23.",
    ]
    assert done.stdout == ""


@pytest.mark.parametrize(
    "program",
    [["-m", "gunicorn", "--check-config", "digest.wsgi"], ["-m", "celery", "-A", "digest", "worker"]],
)
def test_no_process_starts_with_wrong_settings(tmp_path: Path, program: list[str]) -> None:
    done = started(tmp_path, program=program, EDITION_HOUR="25")
    assert done.returncode != 0
    assert "EDITION_HOUR: 25 is out of range. Use 0 to 23." in done.stderr


def test_on_and_off_have_the_usual_words() -> None:
    assert [read.flag("X", word) for word in ("true", "1", "Yes", " on ")] == [True] * 4
    assert [read.flag("X", word) for word in ("False", "0", "no", "OFF")] == [False] * 4
    for word in ("maybe", "", "2", "truee"):
        with pytest.raises(ImproperlyConfigured, match="X: "):
            read.flag("X", word)


def test_lists_may_have_blanks_after_their_commas() -> None:
    assert read.hosts("X", "a.example.org, b.example.org ,", strict=True) == [
        "a.example.org",
        "b.example.org",
    ]


@pytest.mark.parametrize(
    ("address", "port"),
    [("smtp://h", 25), ("smtp+tls://h", 587), ("smtp+ssl://h", 465), ("smtp+tls://h:2525", 2525)],
)
def test_a_mail_servers_port_may_be_left_out(address: str, port: int) -> None:
    assert read.mail_server("EMAIL_URL", address)["EMAIL_PORT"] == port


def test_postgresql_is_not_waited_for_in_vain(tmp_path: Path) -> None:
    found = read.database("DATABASE_URL", "postgres://ada:x@db.example.org/papers", tests=tmp_path)
    assert (found["OPTIONS"], found["ENGINE"]) == (LINE, "digest.postgresql")
    assert LINE["connect_timeout"] <= 10
    assert LINE["tcp_user_timeout"] <= 60_000
    asked = read.database(
        "DATABASE_URL", "postgres://db/papers?connect_timeout=3&sslmode=require", tests=tmp_path
    )
    assert asked["OPTIONS"] == {**LINE, "connect_timeout": 3, "sslmode": "require"}


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
