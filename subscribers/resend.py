"""Resend with a working idempotency key: a digest sent again within a day is still one mail.

Anymail puts every extra header into the JSON body, where Resend takes it for a header of the mail. The key
belongs on the HTTP request, is kept for 24 hours, and with other content is answered 409:
https://resend.com/docs/dashboard/emails/idempotency-keys
"""

from collections.abc import Mapping
from typing import Any

from anymail.backends import resend
from django.core.mail import EmailMessage

HEADER = "Idempotency-Key"


class EmailBackend(resend.EmailBackend):  # type: ignore[misc]
    """Anymail's Resend backend, its settings unchanged."""

    def build_message_payload(self, message: EmailMessage, defaults: Mapping[str, Any]) -> "Payload":
        """Return the request for `message`."""
        return Payload(message, defaults, self)


class Payload(resend.ResendPayload):  # type: ignore[misc]
    """The key is the extra header Idempotency-Key; without it, the delivery the metadata names."""

    def set_extra_headers(self, headers: Mapping[str, Any]) -> None:
        """Take the key out of the mail's headers."""
        kept = {name: value for name, value in headers.items() if name.lower() != HEADER.lower()}
        for name, value in headers.items():
            if name not in kept:
                self.headers[HEADER] = str(value)
        super().set_extra_headers(kept)

    def set_metadata(self, metadata: Mapping[str, Any]) -> None:
        """Use our own name for the delivery where no key was given; set after the headers."""
        if metadata.get("delivery"):
            self.headers.setdefault(HEADER, str(metadata["delivery"]))
        super().set_metadata(metadata)
