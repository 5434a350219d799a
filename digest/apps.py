"""The app that brings papers in and editions out."""

from importlib import import_module

from django.apps import AppConfig


class DigestConfig(AppConfig):
    """Papers, editions and deliveries."""

    name = "digest"
    verbose_name = "Papers and editions"

    def ready(self) -> None:
        """Connect the receivers and register the checks."""
        import_module("digest.receivers")
        import_module("digest.access.receivers")
        import_module("digest.checks")
