"""DMARC of the From domain, and whether anything that passes belongs to it."""

from digest.doctor.dkim import tags_of
from digest.doctor.finding import Findings, advice, good, unseen, wrong
from digest.doctor.looking import Looking
from digest.doctor.names import Dns

#: How far up the tree a policy is looked for (the tree walk of DMARCbis; older mailboxes use a public list).
MOST_LABELS = 8


def look(looking: Looking) -> Findings:
    """Look at the policy that holds for the From domain, its own or that of a domain above."""
    where, found = _policy(looking.dns, looking.domain)
    if not found:
        yield wrong(
            f"{looking.domain} has no DMARC record, nor has a domain above it: Gmail, Yahoo and Microsoft "
            "refuse bulk mail without one.",
            f'Publish a TXT record at _dmarc.{looking.domain}: "v=DMARC1; p=none; rua=mailto:YOUR ADDRESS"',
        )
        return
    if len(found) > 1:
        yield wrong(f"{where} has {len(found)} DMARC records: together they count as none.", "Keep one.")
        return
    tags = tags_of(found[0])
    policy = tags.get("sp", tags.get("p", "")) if where != looking.domain else tags.get("p", "")
    if policy not in {"none", "quarantine", "reject"}:
        yield wrong(f"The DMARC record at {where} has no policy (p=).", "Begin it with: v=DMARC1; p=none;")
        return
    yield good(f"DMARC at {where}: {policy}.")
    if policy == "none":
        yield advice(
            "DMARC only watches (p=none): others can still send in your name.",
            "Once the reports show that all your mail passes, go on to p=quarantine.",
        )
    if "rua" not in tags:
        yield advice("DMARC names nobody to report to (rua).", "Add rua=mailto: with an address you read.")
    else:
        yield from _reports(looking, tags["rua"])


def _policy(dns: Dns, domain: str) -> tuple[str, list[str]]:
    labels = domain.split(".")
    for start in range(max(len(labels) - 1, 1)):
        if 0 < start < len(labels) - MOST_LABELS:
            continue
        where = ".".join(labels[start:])
        texts = dns.texts(f"_dmarc.{where}")
        found = [text for text in texts if text.replace(" ", "").lower().startswith("v=dmarc1")]
        if found:
            return where, found
    return domain, []


def _reports(looking: Looking, targets: str) -> Findings:
    """A domain that others' reports go to has to agree (RFC 7489 section 7.1)."""
    for target in targets.split(","):
        host = target.partition("!")[0].strip().rpartition("@")[2].lower()
        if not host or _related(host, looking.domain):
            continue
        texts = looking.dns.texts(f"{looking.domain}._report._dmarc.{host}")
        if not any(text.lower().startswith("v=dmarc1") for text in texts):
            yield advice(
                f"{host} has not agreed to take DMARC reports about {looking.domain}: none will come.",
                f'It has to publish "v=DMARC1" at {looking.domain}._report._dmarc.{host}.',
            )


def align(looking: Looking) -> Findings:
    """Say whether SPF or DKIM speaks for the From domain, as far as it can be told from outside a mail."""
    if looking.dkim_found:
        yield good(f"Alignment: DKIM can sign as {looking.domain}, the domain of the From line.")
    elif looking.spf_passes:
        yield good(f"Alignment: the envelope's sender is of {looking.domain}, too, and SPF passes for it.")
        yield advice("Only SPF aligns: it breaks when a reader forwards the mail.", "Set up DKIM as well.")
    elif looking.dkim_found is None or looking.spf_passes is None:
        yield unseen(
            f"alignment: neither a DKIM key nor SPF was found to speak for {looking.domain}",
            "Send yourself a test from the desk and read Authentication-Results in it: DMARC must say pass.",
        )
    else:
        yield wrong(
            f"Nothing speaks for {looking.domain}: neither SPF nor DKIM passes, so DMARC always fails.",
            "Set up DKIM for the From domain (or correct its SPF record).",
        )


def _related(one: str, other: str) -> bool:
    return one == other or one.endswith(f".{other}") or other.endswith(f".{one}")
