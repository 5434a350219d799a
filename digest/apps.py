"""The app that brings papers in and editions out."""

from django.apps import AppConfig


class DigestConfig(AppConfig):
    """Papers, editions and deliveries."""

    name = "digest"
    verbose_name = "Papers and editions"
