"""What the page of an edition's sending says of the pace: what holds it back, and for how long."""

import math
from datetime import datetime, timedelta

from django.conf import settings

from subscribers import pace, warmup


def told(waiting: int, at: datetime) -> list[str]:
    """Return what holds back the `waiting` digests at `at`, in sentences; none where nothing does."""
    lines = []
    if (seconds := pace.Pacer(lambda: at).held()) > 0:
        goes_on = at + timedelta(seconds=seconds)
        lines.append(f"The provider asks to wait: nothing leaves before {goes_on:%H:%M:%S} UTC.")
    rates = (*settings.SEND_RATE, *settings.SEND_QUOTA)
    if rates:
        slowest = max(rate.seconds / rate.many for rate in rates)
        left = _span(waiting * slowest)
        lines.append(f"Held to {' and '.join(map(str, rates))}; {left} left at that pace." if waiting else "")
    if settings.DOMAIN_RATES and waiting:
        several = (
            f"{group} to {' and '.join(map(str, its))}" for group, its in settings.DOMAIN_RATES.items()
        )
        lines.append(f"By mailbox provider: {', '.join(several)}.")
    cap = warmup.cap(at)
    if cap is not None:
        lines.append(
            f"Warming up: at most {cap:,} mails today (UTC). Who is too many for that waits for another day, "
            "and goes first then; if their hour is over by then, the papers come with their next digest."
        )
    return [line for line in lines if line]


def _span(seconds: float) -> str:
    if seconds < 90:
        return "about a minute"
    if seconds < 5_400:
        return f"about {math.ceil(seconds / 60)} minutes"
    return f"about {math.ceil(seconds / 3_600)} hours"
