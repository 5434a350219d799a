"""Whether the provider takes our key, asked by a call that changes and sends nothing."""

from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
from django.conf import settings

from digest.doctor.finding import Findings, good, quoted, unseen, wrong
from digest.doctor.looking import Looking


@dataclass(frozen=True)
class Call:
    """A harmless call: where, below the API's address, and with which header."""

    setting: str
    address: str
    path: str
    header: Callable[[str], Mapping[str, str]]


#: From each provider's API reference; a key of Resend that may only send is answered 401 with its name.
CALLS = {
    "brevo": Call("BREVO_API", "https://api.brevo.com/v3/", "account", lambda key: {"api-key": key}),
    "mailgun": Call(
        "MAILGUN_API",
        "https://api.mailgun.net/v3/",
        "domains",
        lambda key: {"Authorization": "Basic " + b64encode(f"api:{key}".encode()).decode()},
    ),
    "postmark": Call(
        "POSTMARK_SERVER",
        "https://api.postmarkapp.com/",
        "server",
        lambda key: {"X-Postmark-Server-Token": key, "Accept": "application/json"},
    ),
    "resend": Call(
        "RESEND_API", "https://api.resend.com/", "domains", lambda key: {"Authorization": f"Bearer {key}"}
    ),
    "sendgrid": Call(
        "SENDGRID_API",
        "https://api.sendgrid.com/v3/",
        "scopes",
        lambda key: {"Authorization": f"Bearer {key}"},
    ),
}


def look(looking: Looking) -> Findings:
    """Ask once."""
    name = looking.provider
    if not name:
        return
    call = CALLS.get(name)
    if call is None:
        yield unseen(f"the key of {name}: no call is known that is harmless", "Send yourself a test mail.")
        return
    anymail: Mapping[str, Any] = settings.ANYMAIL
    key = str(anymail.get(f"{call.setting}_KEY") or anymail.get(f"{call.setting}_TOKEN"))
    address = str(anymail.get(f"{name.upper()}_API_URL") or call.address).rstrip("/")
    try:
        answer = httpx.get(f"{address}/{call.path}", headers=dict(call.header(key)), timeout=looking.timeout)
    except httpx.HTTPError as error:
        yield wrong(f"{name} cannot be reached: {quoted(type(error).__name__)}.", "Check the way out to it.")
        return
    if answer.is_success or "restricted_api_key" in answer.text:
        yield good(f"{name} takes the key.")
    elif answer.status_code in {401, 403}:
        yield wrong(f"{name} refuses the key (HTTP {answer.status_code}).", "Set the key it shows now.")
    else:
        yield unseen(f"the key of {name}: it answered HTTP {answer.status_code} to a harmless call")
