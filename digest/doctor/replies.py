"""Whether answers arrive: the mail exchangers of the From domain and of CONTACT_EMAIL."""

from django.conf import settings

from digest.doctor.finding import Finding, Findings, advice, good, wrong
from digest.doctor.looking import Looking


def look(looking: Looking) -> Findings:
    """Look at both domains, once where they are the same."""
    contact = str(settings.CONTACT_EMAIL).rpartition("@")[2].rstrip(">").lower()
    for domain, setting in {contact: "CONTACT_EMAIL", looking.domain: "DEFAULT_FROM_EMAIL"}.items():
        yield _domain(looking, domain, setting)


def _domain(looking: Looking, domain: str, setting: str) -> Finding:
    cure = f"Publish an MX record for {domain}, or change {setting}."
    exchanges = looking.dns.exchanges(domain)
    if exchanges == ["."]:
        return wrong(f"{domain} ({setting}) says that it takes no mail: answers come back.", cure)
    if not exchanges:
        if looking.dns.addresses(domain):
            return advice(f"{domain} ({setting}) has no MX record; its address stands in for one.", cure)
        return wrong(f"{domain} ({setting}) takes no mail: it has neither MX nor address.", cure)
    reachable = [host for host in exchanges if looking.dns.addresses(host)]
    if not reachable:
        return wrong(f"The mail hosts of {domain} ({setting}) have no address: {', '.join(exchanges)}.", cure)
    return good(f"Answers to {domain} ({setting}) go to {reachable[0]}.")
