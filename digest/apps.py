"""The app that brings papers in and editions out."""

from importlib import import_module

from django.apps import AppConfig


class DigestConfig(AppConfig):
    """Papers, editions and deliveries."""

    name = "digest"
    verbose_name = "Papers and editions"

    def ready(self) -> None:
        """Connect the receivers, register the checks, let the pace count the digests."""
        import_module("digest.receivers")
        import_module("digest.access.receivers")
        import_module("digest.checks")
        import_module("digest.migrating").connect(self)
        pace = import_module("subscribers.pace")
        pace.counters.append(import_module("digest.delivery.counting").left_between)
        import_module("digest.tracing")
