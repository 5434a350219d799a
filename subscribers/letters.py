"""The words and the look of system mails. Composing cannot send; `outbox` sends what this makes."""

import functools
from dataclasses import dataclass
from datetime import datetime
from email.utils import parseaddr

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils.html import escape

from subscribers import links, mjml
from subscribers.addresses import address_hash
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
    SystemMail.Kind.ACCOUNT: _Letter("email/account", "Your address and data at {list_name}"),
    SystemMail.Kind.NEW_ADDRESS: _Letter("email/new_address", "Confirm your new address for {list_name}"),
    SystemMail.Kind.ADDRESS_CHANGED: _Letter(
        "email/address_changed", "{list_name} goes to another address now"
    ),
}
#: Kinds that go to an address which is not the reader's yet.
_ASKING = frozenset({SystemMail.Kind.NEW_ADDRESS})
_SLOTS = ("list_name", "byline", "link", "unsubscribe", "site", "postal_address", "contact_email")


def compose(mail: SystemMail, *, at: datetime) -> EmailMultiAlternatives:
    """Return the message for an outbox row, its links good from `at` on."""
    reader = mail.subscriber
    letter = _LETTERS[SystemMail.Kind(mail.kind)]
    asked_of = links.address_binding(address_hash(mail.to)) if mail.kind in _ASKING else ""
    values = {
        "list_name": settings.LIST_NAME,
        "byline": settings.BYLINE,
        "link": _link(mail, at),
        "unsubscribe": links.unsubscribe_url(reader.public_id, asked_of),
        "site": settings.SITE_URL,
        "postal_address": settings.POSTAL_ADDRESS,
        "contact_email": parseaddr(settings.CONTACT_EMAIL)[1],
    }
    html = _shell(f"{letter.template}.mjml")
    for name, value in values.items():
        html = html.replace(_slot(name), escape(value))
    return compose_system(
        to=mail.to or reader.address,
        subscriber_public_id=reader.public_id,
        message_public_id=mail.public_id,
        subject=letter.subject.format(list_name=settings.LIST_NAME),
        html=html,
        text=render_to_string(f"{letter.template}.txt", values),
        at=mail.created_at,
        asked_of=asked_of,
    )


def _link(mail: SystemMail, at: datetime) -> str:
    reader: Subscriber = mail.subscriber
    if mail.kind == SystemMail.Kind.CONFIRM:
        return links.confirm_url(reader.public_id, binding=binding_of(reader), at=at)
    if mail.kind == SystemMail.Kind.ACCOUNT:
        return links.account_url(reader.public_id, at)
    if mail.kind == SystemMail.Kind.NEW_ADDRESS:
        binding = links.address_binding(address_hash(mail.to))
        return links.new_address_url(reader.public_id, binding=binding, at=at)
    if mail.kind == SystemMail.Kind.ADDRESS_CHANGED:
        return f"{settings.SITE_URL}/"  # the old mailbox gets no key to anything
    return links.preferences_url(reader.public_id, at)


@functools.lru_cache(maxsize=len(_LETTERS))
def _shell(template: str) -> str:
    """Return the compiled shell, with a slot where each value goes: values never pass the MJML compiler."""
    return mjml.to_html(render_to_string(template, {name: _slot(name) for name in _SLOTS}))


def _slot(name: str) -> str:
    return f"SLOT-{name}-HERE"
