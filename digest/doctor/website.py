"""The site as browsers, mail programs and the provider meet it."""

import socket
import ssl
from datetime import UTC
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import httpx
from django.conf import settings

from digest.doctor.certificate import lasting
from digest.doctor.finding import CouldNotLookError, Finding, Findings, advice, good, quoted, unseen, wrong
from digest.doctor.looking import Looking
from subscribers import links

#: Seconds that this clock and another may differ by; signed links and leases go by the clock.
MOST_SKEW = 30
#: Providers whose posts are signed too: the secret alone does not let one in.
SIGNING = {"amazon_ses", "mailgun", "mandrill", "postal", "resend", "mailtrap"}


def look(looking: Looking) -> Findings:
    """Look at the certificate, then fetch the first page."""
    if settings.SITE_URL.startswith("https://"):
        yield _certificate(looking)
    else:
        yield advice(
            f"Links lead to {settings.SITE_URL}: no TLS.", "Outside development set SITE_URL to https."
        )
    try:
        answer = _asked(looking, "GET", "/")
    except CouldNotLookError as error:
        yield wrong(
            f"{error}.", "Are the web processes and the proxy up? Can this machine reach its own name?"
        )
        return
    yield from _first_page(looking, answer)


def _first_page(looking: Looking, answer: httpx.Response) -> Findings:
    if answer.status_code != 200:
        where = "a redirect" if answer.is_redirect else "no page"
        yield wrong(
            f"{settings.SITE_URL} answers {answer.status_code}, {where}.",
            "Let SITE_URL be the address the site itself has, and see that the proxy leads to Paperboy.",
        )
        return
    yield good(f"{settings.SITE_URL} answers.")
    if answer.url.scheme == "https":
        yield _strict(answer)
    yield from _skew(looking, answer)


def _certificate(looking: Looking) -> Finding:
    parts = urlsplit(settings.SITE_URL)
    host, port = parts.hostname or "", parts.port or 443
    try:
        with (
            socket.create_connection((host, port), timeout=looking.timeout) as plain,
            ssl.create_default_context().wrap_socket(plain, server_hostname=host) as secured,
        ):
            return lasting(f"{host}:{port}", secured.getpeercert(), looking.at)
    except ssl.SSLError as error:
        why = getattr(error, "verify_message", "") or error
        return wrong(
            f"TLS of {host}:{port} fails: {quoted(why)}.", "Renew the certificate; it must name the host."
        )
    except OSError as error:
        return wrong(
            f"{host}:{port} does not answer: {quoted(error)}.", "Is the proxy up, and the name right?"
        )


def _strict(answer: httpx.Response) -> Finding:
    if "strict-transport-security" in answer.headers:
        return good("Browsers are told to use https (HSTS).")
    return advice(
        "Browsers are not told to use https for good (no Strict-Transport-Security).",
        "Set TRUST_PROXY_TLS=true, and let the proxy send X-Forwarded-Proto.",
    )


def _skew(looking: Looking, answer: httpx.Response) -> Findings:
    try:
        theirs = parsedate_to_datetime(answer.headers.get("Date", ""))
    except (TypeError, ValueError):
        yield unseen("the clock: the site's answer has no Date")
        return
    theirs = theirs if theirs.tzinfo else theirs.replace(tzinfo=UTC)
    off = abs((theirs - looking.at).total_seconds())
    # The answer took its time, too.
    if off > MOST_SKEW + looking.timeout:
        yield wrong(
            f"This machine's clock and the site's differ by {off:.0f} s.", "Let NTP set both (timedatectl)."
        )
    else:
        yield good("This machine's clock and the site's agree.")


def unsubscribing(looking: Looking) -> Findings:
    """Post as a mail program does (RFC 8058), to a link that is nobody's."""
    link = links.unsubscribe_url("doctor".ljust(22, "0"), "doctor".ljust(22, "0"))
    answer = _asked(
        looking, "POST", link.removeprefix(settings.SITE_URL), data={"List-Unsubscribe": "One-Click"}
    )
    if answer.status_code == 200:
        yield good("One-click unsubscribing answers a POST without cookies, and no redirect.")
    else:
        kind = "redirects" if answer.is_redirect else "answers"
        yield wrong(
            f"One-click unsubscribing {kind} ({answer.status_code}): mail programs count it as not working.",
            "Let the proxy pass POST to /u/... untouched: no redirect, no login, no cookie wall.",
        )


def webhook(looking: Looking) -> Findings:
    """Post to the provider's webhook as a stranger, and with the secret as the provider, an empty body."""
    if not looking.provider:
        return
    path = f"/webhooks/{looking.provider}/tracking/"
    secrets = settings.ANYMAIL.get("WEBHOOK_SECRET")
    if not secrets:
        yield advice(
            f"Bounces and complaints are not heard: {looking.provider} has no secret to post them with.",
            "Set WEBHOOK_SECRET, and give the provider the address that .env.example shows.",
        )
        return
    stranger = _asked(looking, "POST", path, content=b"{}")
    if stranger.status_code == 401:
        yield good(f"{path} refuses strangers.")
    else:
        yield wrong(
            f"{path} answers a stranger {stranger.status_code}, not 401.",
            "404: the web process runs with another ANYMAIL_PROVIDER, or without WEBHOOK_SECRET. Else the "
            "proxy keeps the POST.",
        )
        return
    user, _, password = secrets[0].partition(":")
    ours = _asked(
        looking,
        "POST",
        path,
        content=b"{}",
        auth=(user, password),
        headers={"Content-Type": "application/json"},
    )
    yield _let_in(looking, ours.status_code)


def _let_in(looking: Looking, status: int) -> Finding:
    if status == 401:
        return wrong(
            "The webhook does not take WEBHOOK_SECRET.",
            "Restart the web processes; see that the proxy passes the Authorization header.",
        )
    if looking.provider in SIGNING and status == 403:
        return unseen(f"whether events are taken: {looking.provider} signs them, which only it can")
    if status in {403, 404} or status >= 500:
        return wrong(f"The webhook answers {status} to the right secret.", "Read the web process's log.")
    return good("The webhook lets in who knows WEBHOOK_SECRET.")


def _asked(looking: Looking, method: str, path: str, **options: object) -> httpx.Response:
    try:
        return httpx.request(
            method,
            settings.SITE_URL + path,
            timeout=looking.timeout,
            verify=ssl.create_default_context(),
            follow_redirects=False,
            **options,  # type: ignore[arg-type]
        )
    except httpx.HTTPError as error:
        raise CouldNotLookError(f"{settings.SITE_URL} did not answer ({type(error).__name__})") from error
