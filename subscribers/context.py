"""What every page knows of the list."""

from email.utils import parseaddr

from django.conf import settings
from django.http import HttpRequest


def the_list(_request: HttpRequest) -> dict[str, str]:
    """Return the list's name and who is behind it."""
    return {
        "list_name": settings.LIST_NAME,
        "byline": settings.BYLINE,
        "postal_address": settings.POSTAL_ADDRESS,
        "contact_email": parseaddr(settings.CONTACT_EMAIL)[1],
    }
