"""The fresh link that changing the address, taking the data along and erasing ask for."""

from datetime import datetime, timedelta

from django.db import transaction

from subscribers import outbox
from subscribers.models import Subscriber, SystemMail

BETWEEN_LINKS = timedelta(minutes=10)
MOST_LINKS_A_DAY = 5


def mail_link(public_id: str, *, at: datetime) -> str:
    """Mail the reader a link to their account, to their own address and nowhere else.

    At most one in ten minutes and five a day, so that whoever has an old mail of theirs cannot flood them.
    Return "account" when it is mailed (or nobody is there), else "account-lately" or "account-enough".
    """
    with transaction.atomic():
        reader = Subscriber.objects.select_for_update().filter(public_id=public_id).first()
        if reader is None:
            return "account"
        mails = reader.system_mails.filter(kind=SystemMail.Kind.ACCOUNT)
        if mails.filter(created_at__gt=at - BETWEEN_LINKS).exists():
            return "account-lately"
        if mails.filter(created_at__gt=at - timedelta(days=1)).count() >= MOST_LINKS_A_DAY:
            return "account-enough"
        outbox.post(reader, SystemMail.Kind.ACCOUNT, at=at)
        return "account"


def last_mailed(reader: Subscriber) -> datetime | None:
    """Return when the newest link was asked for, as far as it is remembered."""
    mails = reader.system_mails.filter(kind=SystemMail.Kind.ACCOUNT).order_by("-created_at")
    return mails.values_list("created_at", flat=True).first()
