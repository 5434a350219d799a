"""Thin tasks: messages are hints, the rows say what is due."""

from celery import shared_task
from django.utils import timezone

from subscribers import outbox


@shared_task
def send_outbox() -> int:
    """Send the system mails that are due."""
    return outbox.deliver_due(at=timezone.now())
