"""The words and the look of system mails. Composing cannot send; `outbox` sends what this makes."""

import functools
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils.html import escape

from subscribers import links, mjml
from subscribers.consent import binding_of
from subscribers.mail import compose_system
from subscribers.models import Subscriber, SystemMail


@dataclass(frozen=True, slots=True)
class _Letter:
    template: str
    subject: str


_LETTERS = {
    SystemMail.Kind.CONFIRM: _Letter("email/confirm", "Confirm your subscription to {list_name}"),
    SystemMail.Kind.ALREADY_SUBSCRIBED: _Letter(
        "email/already_subscribed", "You are already subscribed to {list_name}"
    ),
}
_SLOTS = ("list_name", "byline", "link", "unsubscribe", "site", "postal_address")


def compose(mail: SystemMail, *, at: datetime) -> EmailMultiAlternatives:
    """Return the message for an outbox row, its links good from `at` on."""
    reader = mail.subscriber
    letter = _LETTERS[SystemMail.Kind(mail.kind)]
    values = {
        "list_name": settings.LIST_NAME,
        "byline": settings.BYLINE,
        "link": _link(mail, at),
        "unsubscribe": links.unsubscribe_url(reader.public_id),
        "site": settings.SITE_URL,
        "postal_address": settings.POSTAL_ADDRESS,
    }
    html = _shell(f"{letter.template}.mjml")
    for name, value in values.items():
        html = html.replace(_slot(name), escape(value))
    return compose_system(
        to=reader.address,
        subscriber_public_id=reader.public_id,
        message_public_id=mail.public_id,
        subject=letter.subject.format(list_name=settings.LIST_NAME),
        html=html,
        text=render_to_string(f"{letter.template}.txt", values),
        at=mail.created_at,
    )


def _link(mail: SystemMail, at: datetime) -> str:
    reader: Subscriber = mail.subscriber
    if mail.kind == SystemMail.Kind.CONFIRM:
        return links.confirm_url(reader.public_id, binding=binding_of(reader), at=at)
    return links.preferences_url(reader.public_id, at)


@functools.lru_cache(maxsize=len(_LETTERS))
def _shell(template: str) -> str:
    """Return the compiled shell, with a slot where each value goes: values never pass the MJML compiler."""
    return mjml.to_html(render_to_string(template, {name: _slot(name) for name in _SLOTS}))


def _slot(name: str) -> str:
    return f"SLOT-{name}-HERE"
