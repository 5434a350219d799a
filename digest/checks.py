"""What `check --deploy` says about Paperboy's own settings, beside Django's checks of the rest."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Tags, Warning, register  # noqa: A004 - Django's own name
from django.http.request import validate_host

#: Backends whose mails stay on this machine.
_STAYING = ("digest.mailbox.", "django.core.mail.backends.")


@register(Tags.security, deploy=True)
def ready_for_readers(**_asked: Any) -> list[CheckMessage]:  # noqa: ANN401 - Django's signature
    """Return what real readers would suffer from, each with what to do about it."""
    return [*_pepper(), *_host(), *_proxies(), *_mail(), *_logins()]


def _pepper() -> Iterator[CheckMessage]:
    if settings.PEPPER_FROM_SECRET_KEY:
        yield Warning(
            "ADDRESS_PEPPER is made from SECRET_KEY: once SECRET_KEY changes, who complained or was erased "
            "is not known again and could be mailed.",
            hint="On a new installation set ADDRESS_PEPPER to 50 random characters. On one with readers keep "
            "the value in use, which this prints: manage.py shell -c "
            "'from django.conf import settings; print(settings.ADDRESS_PEPPER)'",
            id="paperboy.W001",
        )


def _host() -> Iterator[CheckMessage]:
    host = urlsplit(settings.SITE_URL).hostname or ""
    if not validate_host(f"[{host}]" if ":" in host else host, settings.ALLOWED_HOSTS):
        yield Warning(
            f"The links in mails lead to {host} (SITE_URL), which is not among ALLOWED_HOSTS: every click, "
            "unsubscribing too, would be answered with 400.",
            hint=f"Add {host} to ALLOWED_HOSTS, or correct SITE_URL.",
            id="paperboy.W002",
        )


def _proxies() -> Iterator[CheckMessage]:
    if settings.SECURE_PROXY_SSL_HEADER and not settings.PROXY_HOPS:
        yield Warning(
            "A proxy in front is trusted to say whether a request came by TLS (TRUST_PROXY_TLS), but not "
            "whose it is (PROXY_HOPS=0): all readers count as one network, and share "
            f"{settings.SIGNUPS_PER_NETWORK} sign-ups an hour. At the desk anybody's wrong passwords lock "
            "an account for everybody.",
            hint="Set PROXY_HOPS to the number of proxies that add to X-Forwarded-For, mostly 1. Where no "
            "proxy is in front, set TRUST_PROXY_TLS=false.",
            id="paperboy.W005",
        )


def _mail() -> Iterator[CheckMessage]:
    if settings.EMAIL_BACKEND.startswith(_STAYING):
        yield Warning(
            "Mails do not leave this machine: they are printed or kept in a folder.",
            hint="Set EMAIL_URL to a mail server (smtp+tls://user:password@host:587), or ANYMAIL_PROVIDER.",
            id="paperboy.W003",
        )
    elif settings.ANYMAIL_PROVIDER and not settings.ANYMAIL.get("WEBHOOK_SECRET"):
        yield Warning(
            f"{settings.ANYMAIL_PROVIDER} cannot tell of bounces and complaints: what it posts is not taken.",
            hint="Set WEBHOOK_SECRET, and have the provider post its events, with that user and password, to "
            f"{settings.SITE_URL}/webhooks/{settings.ANYMAIL_PROVIDER}/tracking/",
            id="paperboy.W006",
        )
    elif _password_in_clear():
        yield Warning(
            f"The mail server's password goes to {settings.EMAIL_HOST} unencrypted.",
            hint="Write EMAIL_URL with smtp+tls:// (port 587) or smtp+ssl:// (port 465).",
            id="paperboy.W004",
        )


def _logins() -> Iterator[CheckMessage]:
    if not settings.ADMIN_TWO_FACTOR:
        yield Warning(
            "Operators and owners log in with a password alone (ADMIN_TWO_FACTOR is off): whoever learns one "
            "reads every address.",
            hint="Take ADMIN_TWO_FACTOR out of the environment. Each of them sets up a second factor at the "
            "next login.",
            id="paperboy.W007",
        )


def _password_in_clear() -> bool:
    """Return whether SMTP logs in without TLS on a server that is not this machine (RFC 4954 section 4)."""
    return bool(
        settings.EMAIL_BACKEND == "subscribers.smtp.EmailBackend"
        and settings.EMAIL_HOST_PASSWORD
        and not (settings.EMAIL_USE_TLS or settings.EMAIL_USE_SSL)
        and settings.EMAIL_HOST not in {"localhost", "127.0.0.1", "::1"}
    )
