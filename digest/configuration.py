"""Typed readers of the environment that refuse nonsense with a sentence saying what to do."""

import hashlib
import logging
import os
import re
import zoneinfo
from collections.abc import Mapping, Sequence
from email.headerregistry import Address
from email.utils import parseaddr
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

from digest.postgresql import LINE

#: Anymail's backends by the name an operator writes, each with the settings it cannot work without.
PROVIDERS: dict[str, tuple[str, ...]] = {
    "amazon_ses": (),
    "brevo": ("BREVO_API_KEY",),
    "mailersend": ("MAILERSEND_API_TOKEN",),
    "mailgun": ("MAILGUN_API_KEY",),
    "mailjet": ("MAILJET_API_KEY", "MAILJET_SECRET_KEY"),
    "mailtrap": ("MAILTRAP_API_TOKEN",),
    "mandrill": ("MANDRILL_API_KEY",),
    "postal": ("POSTAL_API_KEY", "POSTAL_API_URL"),
    "postmark": ("POSTMARK_SERVER_TOKEN",),
    "resend": ("RESEND_API_KEY",),
    "scaleway": ("SCALEWAY_SECRET_KEY", "SCALEWAY_PROJECT_ID"),
    "sendgrid": ("SENDGRID_API_KEY",),
    "sparkpost": ("SPARKPOST_API_KEY",),
    "unisender_go": ("UNISENDER_GO_API_KEY", "UNISENDER_GO_API_URL"),
}
#: Settings a provider understands beside the ones it needs.
PROVIDER_OPTIONS: dict[str, tuple[str, ...]] = {
    "mailgun": ("MAILGUN_SENDER_DOMAIN", "MAILGUN_WEBHOOK_SIGNING_KEY"),
    "sparkpost": ("SPARKPOST_SUBACCOUNT",),
}
#: What papers can come from; `digest.sources` holds a source of each name.
SOURCES = ("huggingface", "arxiv")
#: Whose puzzle may stand on the sign-up form.
CAPTCHAS = ("turnstile", "hcaptcha")
#: How a mail server is written, each with the port that is meant where none is.
MAIL_SCHEMES = {"smtp": 25, "smtp+tls": 587, "smtp+ssl": 465, "consolemail": 0, "filemail": 0}
#: How a database is written.
DATABASE_SCHEMES = {"sqlite", "postgres", "postgresql", "psql", "pgsql"}
ESCAPES = "In a user name or password write %40 for @, %2F for /, %23 for #, %3F for ?."
SQLITE_OPTIONS = {
    "timeout": 20,
    "transaction_mode": "IMMEDIATE",
    # FULL: a committed `submitting` must survive a power cut, else a mail could leave twice.
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA busy_timeout=20000;",
}
_ON, _OFF = ("true", "1", "yes", "on"), ("false", "0", "no", "off")


def refuse(name: str, problem: str) -> ImproperlyConfigured:
    """Return the error for setting `name`: one sentence, saying what to do."""
    return ImproperlyConfigured(f"{name}: {problem}")


def _parts(value: str) -> SplitResult:
    """Return the parts of the address `value`, all of them empty where it is none."""
    try:
        parts = urlsplit(value)
        _ = parts.port  # looked at late, else
    except ValueError:
        return urlsplit("")
    return parts


def flag(name: str, value: str) -> bool:
    """Return whether `value` says on or off, in one of the usual words."""
    if (word := value.strip().lower()) not in (*_ON, *_OFF):
        raise refuse(name, f"{value!r} is neither on nor off. Use true or false.")
    return word in _ON


def names(_name: str, value: str) -> list[str]:
    """Return the parts of `value` between its commas."""
    return [part.strip() for part in value.split(",") if part.strip()]


def folder(name: str, value: str | Path) -> Path:
    """Return the folder at `value`, made if it is not there."""
    path = Path(value).resolve()
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise refuse(name, f"{path} cannot be made: {error.strerror}. Name a folder to write to.") from error
    if not os.access(path, os.W_OK | os.X_OK):
        raise refuse(name, f"{path} cannot be written to. Name another folder, or change its owner.")
    return path


def secret_key(name: str, value: str, *, strict: bool) -> str:
    """Return `value`, where `strict` (production) says so only when nobody can guess it."""
    if strict and (len(value) < 50 or value.startswith("development-only")):
        raise refuse(name, "use 50 random characters or more, made for this installation alone.")
    return value


def hosts(name: str, value: str, *, strict: bool) -> list[str]:
    """Return the hosts in `value`, at least one; any host at all (*) is refused where `strict`."""
    found = names(name, value)
    if not found:
        raise refuse(name, "name the hosts that serve Paperboy, separated by commas.")
    if strict and "*" in found:
        raise refuse(name, "* lets anyone forge links in mails. Name the hosts.")
    return found


def web_address(name: str, value: str, *, allow_http: bool) -> str:
    """Return `value` without its trailing slash when it is an absolute web address.

    Plain http is taken only where `allow_http` (development) says so.
    """
    parts = _parts(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise refuse(name, f"{value!r} is not a web address. Write it like https://papers.example.org.")
    if parts.query or parts.fragment or parts.username:
        raise refuse(
            name, "leave out user name, query and fragment; only scheme, host and path belong there."
        )
    if parts.scheme == "http" and not allow_http:
        raise refuse(name, f"{value!r} is not encrypted. Use https:// (http:// is for DEBUG=true only).")
    return value.rstrip("/")


def origins(name: str, value: str, *, allow_http: bool) -> list[str]:
    """Return the web origins in `value` as browsers send them, to be compared exactly (RFC 6454)."""
    found = [web_address(name, part.lower(), allow_http=allow_http) for part in names(name, value)]
    for origin in found:
        if not re.fullmatch(r"https?://([a-z0-9.-]+|\[[0-9a-f:]+\])(:(?!(443|80)$)[0-9]+)?", origin):
            raise refuse(name, f"{origin!r}: write only scheme and host, as https://lab.example.org.")
    return found


def captcha(name: str, value: str) -> str:
    """Return whose puzzle is asked for, or the empty string for none."""
    if value and value not in CAPTCHAS:
        raise refuse(name, f"choose one of: {', '.join(CAPTCHAS)}; or leave it empty for none.")
    return value


def mailbox(name: str, value: str) -> str:
    """Return `value` when it is one mailbox, `Name <user@host>` or `user@host`; RFC 5322 section 3.4."""
    display, address = parseaddr(value)
    try:
        parsed = Address(display_name=display, addr_spec=address)
    except ValueError as error:
        raise refuse(
            name, f"{value!r} is not a mailbox. Write it like Paperboy <papers@example.org>."
        ) from error
    if not parsed.domain or ("." not in parsed.domain.strip(".") and parsed.domain != "localhost"):
        raise refuse(name, f"{value!r} has no domain. Write it like Paperboy <papers@example.org>.")
    return str(parsed)


def one_line(name: str, value: str, *, longest: int = 200) -> str:
    """Return `value` stripped when it is one non-empty line of at most `longest` characters."""
    line = value.strip()
    if not line or len(line) > longest or not line.isprintable():
        raise refuse(name, f"write one line of 1 to {longest} printable characters.")
    return line


def whole_number(name: str, value: str, *, least: int, most: int) -> int:
    """Return `value` as an int within [least, most]."""
    try:
        number = int(value)
    except ValueError as error:
        raise refuse(name, f"{value!r} is not a whole number. Use {least} to {most}.") from error
    if not least <= number <= most:
        raise refuse(name, f"{number} is out of range. Use {least} to {most}.")
    return number


def chosen(name: str, value: str, *, among: Sequence[str]) -> list[str]:
    """Return the parts of `value` without repetitions when each is one of `among`; none is a choice, too."""
    found = names(name, value)
    for part in found:
        if part not in among:
            choice = ", ".join(among)
            raise refuse(name, f"there is no {part!r}. Choose from: {choice}; or leave it empty for none.")
    return list(dict.fromkeys(found))


def zone(name: str, value: str) -> str:
    """Return `value` when it names a time zone of the IANA database."""
    try:
        zoneinfo.ZoneInfo(value)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise refuse(
            name, f"{value!r} is not a time zone. Use an IANA name such as Europe/Paris or UTC."
        ) from error
    return value


def log_level(name: str, value: str) -> str:
    """Return `value` in capitals when it is a level that Python's logging knows."""
    if (level := value.strip().upper()) not in logging.getLevelNamesMapping():
        raise refuse(name, f"{value!r} is no level. Use DEBUG, INFO, WARNING or ERROR.")
    return level


def key_ring(name: str, value: str) -> dict[str, bytes]:
    """Return {key id: secret} from `id:secret,...`; the first one signs, all of them verify."""
    ring: dict[str, bytes] = {}
    for entry in value.split(","):
        key_id, _, secret = entry.partition(":")
        if not key_id.isalnum() or len(key_id) > 8 or len(secret) < 32:
            raise refuse(
                name,
                "each entry is id:secret, the id 1 to 8 letters or digits, the secret 32 characters or more. "
                "Make one with: python -c \"import secrets; print('k1:' + secrets.token_urlsafe(32))\"",
            )
        if key_id in ring:
            raise refuse(name, f"the key id {key_id!r} stands there twice. Give each key its own id.")
        ring[key_id] = secret.encode()
    return ring


def database(name: str, value: str, *, tests: Path) -> dict[str, Any]:
    """Return Django's settings for the SQLite or PostgreSQL database that `value` names.

    On SQLite the tests' database is the file `tests`: threads share it, as they cannot share memory.
    """
    try:
        known = value.partition(":")[0] in DATABASE_SCHEMES
        found: dict[str, Any] = environ.Env.db_url_config(value) if known else {}
    except ValueError:
        found = {}  # its words may hold the password
    if found.get("ENGINE") == "django.db.backends.sqlite3":
        return {**found, "TEST": {"NAME": str(tests)}, "OPTIONS": SQLITE_OPTIONS}
    if found.get("ENGINE") == "django.db.backends.postgresql":
        patient = {"ENGINE": "digest.postgresql", "OPTIONS": {**LINE, **found.get("OPTIONS", {})}}
        return {**found, **patient, "CONN_MAX_AGE": 300, "CONN_HEALTH_CHECKS": True}
    raise refuse(name, f"use sqlite:///path or postgres://user:password@host/name. {ESCAPES}")


def broker(name: str, value: str) -> str:
    """Return `value` when it names a Redis or Valkey."""
    if _parts(value).scheme not in {"redis", "rediss", "unix"}:
        raise refuse(name, "use redis://host:6379/0, rediss://host:6379/0 or unix:///path/to.sock.")
    return value


def mail_server(name: str, value: str) -> dict[str, Any]:
    """Return Django's EMAIL_ settings for the mail server, the console or the folder that `value` names."""
    scheme = value.partition(":")[0]
    try:
        found = environ.Env.email_url_config(value) if scheme in MAIL_SCHEMES else {}
    except ValueError:
        found = {}  # its words may hold the password
    over_smtp = bool(MAIL_SCHEMES.get(scheme))
    if not found or (over_smtp and not found["EMAIL_HOST"]):
        raise refuse(
            name,
            f"use one of {', '.join(sorted(MAIL_SCHEMES))}, such as smtp+tls://user:password@host:587. "
            f"{ESCAPES}",
        )
    if over_smtp:
        # Django's SMTP backend does not tell how far a message got on the wire; ours does.
        found["EMAIL_BACKEND"] = "subscribers.smtp.EmailBackend"
        found["EMAIL_PORT"] = found["EMAIL_PORT"] or MAIL_SCHEMES[scheme]
    return {key: setting for key, setting in found.items() if key.startswith("EMAIL_")}


def anymail(provider: str, environment: Mapping[str, str]) -> dict[str, object]:
    """Return Anymail's settings for `provider`, its keys taken from `environment`."""
    if provider not in PROVIDERS:
        raise refuse("ANYMAIL_PROVIDER", f"choose one of: {', '.join(sorted(PROVIDERS))}.")
    missing = [name for name in PROVIDERS[provider] if not environment.get(name)]
    if missing:
        raise refuse(" and ".join(missing), f"ANYMAIL_PROVIDER={provider} needs what is missing here.")
    known = (*PROVIDERS[provider], *PROVIDER_OPTIONS.get(provider, ()), f"{provider.upper()}_API_URL")
    # boto would send again by itself, also after a time-out that may have been a success.
    patience = {"retries": {"total_max_attempts": 1}, "connect_timeout": 5, "read_timeout": 30}
    return {
        "REQUESTS_TIMEOUT": (5, 30),
        "AMAZON_SES_CLIENT_PARAMS": {"config": patience},
        # No pixel, no rewritten link, wherever the provider lets us say so; some cannot, nor keep metadata.
        "SEND_DEFAULTS": {"track_opens": False, "track_clicks": False},
        "IGNORE_UNSUPPORTED_FEATURES": True,
        **{name: environment[name] for name in known if name in environment},
    }


def derive(secret: str, purpose: str) -> str:
    """Return a key for `purpose` from `secret`, so that one leaked value does not open another door."""
    return hashlib.blake2b(purpose.encode(), key=hashlib.sha256(secret.encode()).digest()).hexdigest()
