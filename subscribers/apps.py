"""The app that keeps readers and their choices."""

from importlib import import_module

from django.apps import AppConfig


class SubscribersConfig(AppConfig):
    """Subscribers, topics, consent and suppression."""

    name = "subscribers"
    verbose_name = "Readers and topics"

    def ready(self) -> None:
        """Let the pace count the outbox's mails."""
        pace = import_module("subscribers.pace")
        pace.counters.append(import_module("subscribers.outbox").sent_between)
