"""The mail server as our worker meets it: TLS, certificate, login; and its name as mailboxes see it."""

import smtplib
import ssl

from django.conf import settings

from digest.doctor.certificate import lasting
from digest.doctor.finding import Finding, Findings, good, quoted, unseen, wrong
from digest.doctor.looking import Looking
from digest.doctor.names import is_loopback


def look(looking: Looking) -> Findings:
    """Connect, start TLS, log in and say goodbye; nothing is sent."""
    if not looking.own_server():
        if not looking.provider:
            yield unseen("the mail server: mails stay on this machine", "Set EMAIL_URL or ANYMAIL_PROVIDER.")
        return
    place = f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT}"
    try:
        with _connected(looking.timeout) as server:
            yield from _session(looking, server, place)
    except ssl.SSLError as error:
        yield wrong(
            f"TLS with {place} fails: {quoted(getattr(error, 'verify_message', '') or error)}.",
            "Renew the server's certificate, or write its own name into EMAIL_URL.",
        )
    except (smtplib.SMTPException, OSError) as error:
        yield wrong(f"The mail server at {place} cannot be used: {quoted(error)}.", "Check EMAIL_URL.")


def _connected(timeout: float) -> smtplib.SMTP:
    if settings.EMAIL_USE_SSL:
        context = ssl.create_default_context()
        return smtplib.SMTP_SSL(settings.EMAIL_HOST, settings.EMAIL_PORT, timeout=timeout, context=context)
    return smtplib.SMTP(settings.EMAIL_HOST, settings.EMAIL_PORT, timeout=timeout)


def _session(looking: Looking, server: smtplib.SMTP, place: str) -> Findings:
    server.ehlo()
    if settings.EMAIL_USE_TLS:
        if not server.has_extn("starttls"):
            yield wrong(
                f"{place} does not offer STARTTLS, so no mail leaves.",
                "Switch TLS on there, or use smtp+ssl:// with port 465.",
            )
            return
        server.starttls(context=ssl.create_default_context())
        server.ehlo()
    yield _secured(looking, server, place)
    yield _logged_in(server, place)


def _secured(looking: Looking, server: smtplib.SMTP, place: str) -> Finding:
    if isinstance(server.sock, ssl.SSLSocket):
        return lasting(place, server.sock.getpeercert(), looking.at)
    if is_loopback(settings.EMAIL_HOST):
        return good(f"{place} is this machine: no TLS needed on the way to it.")
    return wrong(f"Mails go to {place} unencrypted.", "Write EMAIL_URL with smtp+tls:// or smtp+ssl://.")


def _logged_in(server: smtplib.SMTP, place: str) -> Finding:
    if not settings.EMAIL_HOST_USER:
        return good(f"{place} answers; no login is set.")
    try:
        server.login(settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD)
    except smtplib.SMTPAuthenticationError as error:
        return wrong(
            f"{place} refuses the login: {error.smtp_code} {quoted(_words(error.smtp_error))}.",
            "Check user name and password in EMAIL_URL (%40 for @, %2F for /).",
        )
    return good(f"{place} takes the login.")


def _words(said: bytes | str) -> str:
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else said


def reverse(looking: Looking) -> Findings:
    """Look whether each sending address has a name that leads back to it; Gmail refuses mail without."""
    if looking.provider:
        return
    addresses = looking.sending_addresses()
    if not addresses:
        yield unseen(
            "reverse DNS: the public address of the mail server is not known here",
            "Repeat with --address THE.PUBLIC.ADDRESS.",
        )
    for address in addresses:
        names = looking.dns.names_of(address)
        confirmed = [name for name in names if address in looking.dns.addresses(name)]
        if confirmed:
            yield good(f"{address} is {confirmed[0]}, and back again.")
        elif names:
            yield wrong(
                f"{address} is called {names[0]}, which does not lead back to it.",
                f"Let an A or AAAA record of {names[0]} name {address}.",
            )
        else:
            yield wrong(
                f"{address} has no reverse DNS (PTR): Gmail and others refuse its mail.",
                "Ask the provider of the address to set it to the mail server's name.",
            )
