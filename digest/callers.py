"""The settings by which a provider that posts events proves who it is."""

import re
from base64 import b64decode

from digest.configuration import names, refuse

#: An SNS topic's name within AWS, in whichever partition.
_TOPIC = re.compile(r"arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_.-]{1,256}")

#: Characters of the password; HTTP Basic sends it with every post, over TLS.
SHORTEST = 16
#: Characters of a token that nobody guesses, however often they ask.
SHORTEST_TOKEN = 32


def webhook_secrets(name: str, value: str) -> list[str]:
    """Return the `user:password` pairs in `value`, none if it is empty; any of them is taken.

    Two of them let an operator change the secret without losing an event.
    """
    pairs = names(name, value)
    for pair in pairs:
        user, _, password = pair.partition(":")
        if not user or len(password) < SHORTEST or not pair.isascii() or not pair.isprintable():
            raise refuse(
                name,
                f"each entry is user:password, the password {SHORTEST} ASCII characters or more, without "
                "commas. Make one with: python -c \"import secrets; print('hook:' + secrets.token_hex(16))\"",
            )
    return pairs


def svix_secret(name: str, value: str) -> str:
    """Return the signing secret of Resend's webhook, empty for none: "whsec_" and base64 (docs.svix.com)."""
    try:
        key = b64decode(value.removeprefix("whsec_"), validate=True)
    except ValueError:
        key = b""
    if value and not (value.startswith("whsec_") and len(key) >= SHORTEST):
        raise refuse(
            name, "copy the webhook's signing secret from Resend's dashboard: it begins with whsec_."
        )
    return value


def topics(name: str, value: str) -> list[str]:
    """Return the names of the SNS topics in `value` that may post events."""
    found = names(name, value)
    for arn in found:
        if not _TOPIC.fullmatch(arn):
            raise refuse(
                name, f"{arn!r} names no topic. Write it like arn:aws:sns:eu-west-1:123456789012:paperboy."
            )
    return found


def metrics_token(name: str, value: str) -> str:
    """Return the token by which Prometheus asks, empty for none."""
    fit = len(value) >= SHORTEST_TOKEN and value.isascii() and value.isprintable() and " " not in value
    if value and not fit:
        raise refuse(
            name,
            f"use {SHORTEST_TOKEN} ASCII characters or more, without spaces. "
            'Make one with: python -c "import secrets; print(secrets.token_urlsafe(32))"',
        )
    return value
