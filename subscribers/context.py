"""What every page knows of the list."""

from email.utils import parseaddr

from django.conf import settings
from django.http import HttpRequest

#: Keeps mails on this machine, for a browser to read; works under DEBUG only.
_MAILBOX = "digest.mailbox.EmailBackend"


def the_list(_request: HttpRequest) -> dict[str, str | bool]:
    """Return the list's name, who is behind it, and whether its mails go no further than this machine."""
    return {
        "list_name": settings.LIST_NAME,
        "byline": settings.BYLINE,
        "postal_address": settings.POSTAL_ADDRESS,
        "mail_stays_here": bool(settings.DEBUG) and str(settings.EMAIL_BACKEND) == _MAILBOX,
        "contact_email": parseaddr(settings.CONTACT_EMAIL)[1],
    }
