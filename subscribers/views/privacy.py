"""The privacy page: what is kept, why and how long, from the same names by which it is done."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from subscribers import links, retention
from subscribers.links import Purpose
from subscribers.models import ConsentText

#: The companies behind ANYMAIL_PROVIDER, as they write themselves.
CARRIERS = {
    "amazon_ses": "Amazon SES",
    "brevo": "Brevo",
    "mailersend": "MailerSend",
    "mailgun": "Mailgun",
    "mailjet": "Mailjet",
    "mailtrap": "Mailtrap",
    "mandrill": "Mailchimp Transactional (Mandrill)",
    "postal": "a Postal server",
    "postmark": "Postmark",
    "resend": "Resend",
    "scaleway": "Scaleway",
    "sendgrid": "Twilio SendGrid",
    "sparkpost": "Bird (SparkPost)",
    "unisender_go": "Unisender Go",
}
PUZZLES = {"turnstile": "Turnstile, by Cloudflare", "hcaptcha": "hCaptcha, by Intuition Machines"}


@require_safe
def privacy(request: HttpRequest) -> HttpResponse:
    """Say what is kept, for everybody to read; figures, carrier and wordings are those in force."""
    digests, clicks = ConsentText.Purpose.DIGESTS, ConsentText.Purpose.CLICKS
    texts = list(ConsentText.objects.filter(purpose=digests).order_by("-pk"))
    page: dict[str, Any] = {
        "keep": _periods(),
        "carrier": CARRIERS.get(settings.ANYMAIL_PROVIDER, settings.ANYMAIL_PROVIDER),
        "puzzle": PUZZLES.get(settings.CAPTCHA, settings.CAPTCHA),
        "reports": bool(settings.SENTRY_DSN),
        "wording": texts[0] if texts else None,
        "earlier": texts[1:],
        "of_clicks": list(ConsentText.objects.filter(purpose=clicks).order_by("-pk")),
    }
    return render(request, "web/privacy.html", page)


def _periods() -> dict[str, str]:
    """Return every period of the page in words, read now, so that text and deed cannot differ."""
    return {
        "unconfirmed": in_words(retention.UNCONFIRMED),
        "whole_networks": in_words(retention.WHOLE_NETWORKS),
        "system_mails": in_words(retention.SYSTEM_MAILS),
        "address_changes": in_words(retention.ADDRESS_CHANGES),
        "after_leaving": in_words(retention.AFTER_LEAVING),
        "leaving_reasons": in_words(retention.LEAVING_REASONS),
        "clicks": in_words(retention.CLICKS),
        "provider_events": in_words(retention.PROVIDER_EVENTS),
        "unconfirmed_log": in_words(retention.UNCONFIRMED_LOG),
        "account_link": in_words(links.LIFETIMES[Purpose.ACCOUNT]),
    }


def in_words(period: timedelta) -> str:
    """Return a period of whole minutes in the largest unit that says it exactly, days at most: "24 hours"."""
    minutes = period // timedelta(minutes=1)
    for name, size in (("day", 24 * 60), ("hour", 60)):
        # A day alone is 24 hours, as the mails say.
        if minutes % size == 0 and minutes > size:
            return f"{minutes // size} {name}s"
    return f"{minutes} minute{'' if minutes == 1 else 's'}"
