"""Django's admin with our site in it."""

from django.contrib.admin.apps import AdminConfig


class DeskConfig(AdminConfig):
    """The desk in the place of Django's own admin site."""

    default_site = "digest.access.site.DeskSite"
