"""Typed readers of the environment that refuse nonsense with a sentence saying what to do."""

import hashlib
import zoneinfo
from collections.abc import Mapping, Sequence
from email.headerregistry import Address
from email.utils import parseaddr
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

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


def refuse(name: str, problem: str) -> ImproperlyConfigured:
    """Return the error for setting `name`: one sentence, saying what to do."""
    return ImproperlyConfigured(f"{name}: {problem}")


def web_address(name: str, value: str, *, allow_http: bool) -> str:
    """Return `value` without its trailing slash when it is an absolute web address.

    Plain http is taken only where `allow_http` (development) says so.
    """
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise refuse(name, f"{value!r} is not a web address. Write it like https://papers.example.org.")
    if parts.query or parts.fragment or parts.username:
        raise refuse(
            name, "leave out user name, query and fragment; only scheme, host and path belong there."
        )
    if parts.scheme == "http" and not allow_http:
        raise refuse(name, f"{value!r} is not encrypted. Use https:// (http:// is for DEBUG=true only).")
    return value.rstrip("/")


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


def chosen(name: str, values: list[str], *, among: Sequence[str]) -> list[str]:
    """Return `values` without repetitions when each is one of `among`; none at all is a choice, too."""
    for value in values:
        if value not in among:
            choice = ", ".join(among)
            raise refuse(name, f"there is no {value!r}. Choose from: {choice}; or leave it empty for none.")
    return list(dict.fromkeys(values))


def zone(name: str, value: str) -> str:
    """Return `value` when it names a time zone of the IANA database."""
    try:
        zoneinfo.ZoneInfo(value)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise refuse(
            name, f"{value!r} is not a time zone. Use an IANA name such as Europe/Paris or UTC."
        ) from error
    return value


def key_ring(name: str, entries: list[str]) -> dict[str, bytes]:
    """Return {key id: secret} from `id:secret` entries; the first one signs, all of them verify."""
    ring: dict[str, bytes] = {}
    for entry in entries:
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
    if not ring:
        raise refuse(name, "no key is given. Write at least one id:secret.")
    return ring


def anymail(provider: str, environment: Mapping[str, str]) -> dict[str, object]:
    """Return Anymail's settings for `provider`, its keys taken from `environment`."""
    if provider not in PROVIDERS:
        raise refuse("ANYMAIL_PROVIDER", f"choose one of: {', '.join(sorted(PROVIDERS))}.")
    missing = [name for name in PROVIDERS[provider] if not environment.get(name)]
    if missing:
        raise refuse(missing[0], f"ANYMAIL_PROVIDER={provider} needs it.")
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
