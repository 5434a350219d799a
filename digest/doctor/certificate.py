"""How long a certificate is good for."""

import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from digest.doctor.finding import Finding, good, wrong

#: Days before its end at which a certificate that renews itself should have been renewed long ago.
LEAST_DAYS = 10


def lasting(whose: str, certificate: Mapping[str, Any] | None, at: datetime) -> Finding:
    """Return what is to be said of a verified `certificate`, as `getpeercert` gives it."""
    ends = datetime.fromtimestamp(ssl.cert_time_to_seconds(str((certificate or {})["notAfter"])), UTC)
    days = (ends - at).days
    if days < LEAST_DAYS:
        return wrong(
            f"The certificate of {whose} ends in {days} days.", "Renew it; see why it was not renewed."
        )
    return good(f"The certificate of {whose} is good for {days} days.")
