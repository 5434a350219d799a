"""The app that keeps readers and their choices."""

from django.apps import AppConfig


class SubscribersConfig(AppConfig):
    """Subscribers, topics, consent and suppression."""

    name = "subscribers"
    verbose_name = "Readers and topics"
