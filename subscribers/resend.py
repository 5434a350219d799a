"""Resend with a working idempotency key: a digest sent again within a day is still one mail.

Anymail puts every extra header into the JSON body, where Resend takes it for a header of the mail. The key
belongs on the HTTP request, is kept for 24 hours, and with other content is answered 409:
https://resend.com/docs/dashboard/emails/idempotency-keys
"""

from collections.abc import Mapping
from typing import Any

from anymail.backends import resend
from django.core.mail import EmailMessage


class EmailBackend(resend.EmailBackend):  # type: ignore[misc]
    """Anymail's Resend backend, its settings unchanged."""

    def knows_again(self, message: EmailMessage) -> bool:
        """Say whether `message`, sent a second time within a day with the same bytes, is still one mail."""
        return bool(key_of(message.extra_headers))

    def build_message_payload(self, message: EmailMessage, defaults: Mapping[str, Any]) -> "Payload":
        """Return the request for `message`."""
        return Payload(message, defaults, self)


class Payload(resend.ResendPayload):  # type: ignore[misc]
    """The key is the extra header Idempotency-Key, else the public id that stands in the Message-ID."""

    def set_extra_headers(self, headers: Mapping[str, Any]) -> None:
        """Move the key from the mail's headers to the request's."""
        if key := key_of(headers):
            self.headers["Idempotency-Key"] = key
        super().set_extra_headers(
            {name: value for name, value in headers.items() if name.lower() != "idempotency-key"}
        )


def key_of(headers: Mapping[str, Any]) -> str:
    """Return the idempotency key of a mail with these extra headers, "" where it has none."""
    named = {name.lower(): str(value) for name, value in headers.items()}
    return named.get("idempotency-key") or named.get("message-id", "").strip("<>").partition("@")[0]
