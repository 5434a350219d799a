"""What every check is given: how to ask the DNS, how long to wait, and what the operator knows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from digest.doctor.names import Dns, is_address, is_loopback

#: By what a provider's own servers are named in a sender's SPF record, from its set-up guide.
SPF_NAMES = {
    "amazon_ses": "amazonses.com",
    "brevo": "spf.brevo.com",
    "mailersend": "_spf.mailersend.net",
    "mailgun": "mailgun.org",
    "mailjet": "spf.mailjet.com",
    "mandrill": "spf.mandrillapp.com",
    "postmark": "spf.mtasv.net",
    "scaleway": "_spf.scw-tem.cloud",
    "sendgrid": "sendgrid.net",
}
#: Where a provider asks senders to publish its DKIM keys; the others draw the name for each account.
SELECTORS = {
    "brevo": ("brevo1", "brevo2", "mail"),
    "mailersend": ("mlsend", "mlsend2"),
    "mailgun": ("mx", "k1", "smtp", "mailo", "pic", "krs", "pdk1", "pdk2"),
    "mailjet": ("mailjet",),
    "mailtrap": ("rwmt1", "rwmt2"),
    "mandrill": ("mte1", "mte2", "mandrill"),
    "resend": ("resend",),
    "sendgrid": ("s1", "s2"),
    "": ("default", "mail", "dkim", "s1", "selector1"),
}


@dataclass
class Looking:
    """One look: `selectors` and `addresses` are what the operator gave."""

    dns: Dns
    timeout: float
    at: datetime
    selectors: Sequence[str] = ()
    addresses: Sequence[str] = ()
    #: What the looks at SPF and DKIM came to, for the one at alignment: None is "not known".
    spf_passes: bool | None = None
    dkim_found: bool | None = None

    @property
    def domain(self) -> str:
        """The domain of the From line."""
        return str(settings.MAIL_DOMAIN).lower()

    @property
    def provider(self) -> str:
        """The provider that carries the mails, "" for a mail server."""
        return str(settings.ANYMAIL_PROVIDER)

    def own_server(self) -> str:
        """Return the mail server's host where mails leave by SMTP, else ""."""
        return "" if self.provider or not by_smtp() else str(settings.EMAIL_HOST)

    def sending_addresses(self) -> list[str]:
        """Return the addresses that mails leave from, as far as can be told."""
        if self.addresses:
            return list(self.addresses)
        host = self.own_server()
        if not host or is_loopback(host):
            return []
        return [host] if is_address(host) else self.dns.addresses(host)


def by_smtp() -> bool:
    """Say whether mails leave by SMTP."""
    return bool(settings.EMAIL_BACKEND == "subscribers.smtp.EmailBackend")
