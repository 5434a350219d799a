"""SPF of the sender's domain (RFC 7208): one record, ten look-ups, and our server in it."""

import ipaddress
from dataclasses import dataclass, field

from digest.doctor.finding import Finding, Findings, advice, good, unseen, wrong
from digest.doctor.looking import SPF_NAMES, Looking
from digest.doctor.names import Dns

#: Mechanisms that ask the DNS, of which a record may need ten in all (RFC 7208 section 4.6.4).
MOST_LOOKUPS = 10


@dataclass
class Walk:
    """What a record says of `addresses`, its includes followed."""

    dns: Dns
    addresses: list[str]
    lookups: int = 0
    passing: set[str] = field(default_factory=set)
    visited: set[str] = field(default_factory=set)
    #: Macros, `exists` and `ptr` depend on the single mail: what they would say is not known.
    vague: bool = False

    def follow(self, domain: str) -> None:
        """Walk through the record of `domain`."""
        if domain in self.visited or self.lookups > MOST_LOOKUPS:
            return
        self.visited.add(domain)
        for record in records(self.dns, domain)[:1]:
            terms = record.split()[1:]
            for term in terms:
                self._term(term.lower(), domain)

    def _term(self, term: str, domain: str) -> None:
        qualifier, plain = (term[0], term[1:]) if term[:1] in "+-~?" else ("+", term)
        name, _, value = plain.replace("=", ":", 1).partition(":")
        name, _, _ = name.partition("/")
        if name in {"include", "redirect", "a", "mx", "exists", "ptr"}:
            self.lookups += 1
        if "%" in value or name in {"exists", "ptr"}:
            self.vague = True
        elif name in {"include", "redirect"}:
            self.follow(value)
        elif qualifier == "+":
            self._match(name, value, domain)

    def _match(self, name: str, value: str, domain: str) -> None:
        if name in {"ip4", "ip6"}:
            self.passing.update(each for each in self.addresses if _within(each, value))
        elif name in {"a", "mx"}:
            host = value.partition("/")[0] or domain
            hosts = [host] if name == "a" else self.dns.exchanges(host)
            found = {address for each in hosts for address in self.dns.addresses(each)}
            self.passing.update(found.intersection(self.addresses))
        elif name == "all":
            self.passing.update(self.addresses)


def records(dns: Dns, domain: str) -> list[str]:
    """Return the SPF records of `domain`."""
    return [text for text in dns.texts(domain) if text.lower().split(" ")[0] == "v=spf1"]


def look(looking: Looking) -> Findings:
    """Look at the domain that a mail server would name as the envelope's sender: that of the From line."""
    domain = looking.domain
    found = records(looking.dns, domain)
    if len(found) != 1:
        looking.spf_passes = False
        yield _not_one(domain, len(found), looking)
        return
    walk = Walk(looking.dns, looking.sending_addresses())
    walk.follow(domain)
    if walk.lookups > MOST_LOOKUPS:
        looking.spf_passes = False
        yield wrong(
            f"SPF of {domain} needs more than {MOST_LOOKUPS} look-ups: mailboxes give up and count it as an "
            "error.",
            "Take out includes of services that no longer send, or name their addresses as ip4: and ip6:.",
        )
        return
    yield from _ending(domain, found[0])
    yield from _covers(looking, walk)


def _not_one(domain: str, count: int, looking: Looking) -> Finding:
    name = SPF_NAMES.get(looking.provider)
    whom = f"include:{name}" if name else "ip4:THE.ADDRESS.OF.YOUR.SERVER"
    if count:
        return wrong(
            f"{domain} has {count} SPF records: together they are an error, as if there were none.",
            "Join them to one TXT record that begins with v=spf1.",
        )
    return wrong(f"{domain} has no SPF record.", f'Publish a TXT record at {domain}: "v=spf1 {whom} ~all"')


def _ending(domain: str, record: str) -> Findings:
    terms = [term.lower() for term in record.split()]
    if "all" in terms or "+all" in terms:
        yield wrong(
            f"SPF of {domain} lets everybody send in its name (+all).", "End the record with ~all or -all."
        )
    elif not any(term in {"-all", "~all"} or term.startswith("redirect=") for term in terms):
        yield advice(
            f"SPF of {domain} does not end with ~all or -all: it forbids nobody anything.",
            "End the record with ~all.",
        )
    else:
        yield good(f"SPF of {domain}: one record, which ends as it should.")


def _covers(looking: Looking, walk: Walk) -> Findings:
    name = SPF_NAMES.get(looking.provider, "")
    if looking.provider:
        yield from _covers_provider(looking, walk, name)
        return
    if not walk.addresses:
        yield unseen(
            "whether SPF names our mail server: its public address is not known here",
            "Repeat with --address THE.PUBLIC.ADDRESS.",
        )
        return
    missing = [each for each in walk.addresses if each not in walk.passing]
    if missing and walk.vague:
        yield unseen("whether SPF names our mail server: the record depends on each mail (macros)")
        return
    looking.spf_passes = not missing
    if missing:
        yield wrong(
            f"SPF of {looking.domain} does not name {', '.join(missing)}, which our mails leave from.",
            f"Add {' '.join(_mechanism(each) for each in missing)} to the record, before its end.",
        )
    else:
        yield good(f"SPF of {looking.domain} names {', '.join(walk.addresses)}.")


def _covers_provider(looking: Looking, walk: Walk, name: str) -> Findings:
    if name and name in walk.visited:
        yield good(f"SPF of {looking.domain} includes {name}.")
    elif name:
        yield advice(
            f"SPF of {looking.domain} does not include {name}. {looking.provider} may name a return path of "
            "its own, which then carries SPF instead.",
            f"Unless its set-up page shows a verified return path, add include:{name} to the record.",
        )
    else:
        yield unseen(f"whether SPF names {looking.provider}: it has no fixed name to look for")


def _mechanism(address: str) -> str:
    return f"ip{ipaddress.ip_address(address).version}:{address}"


def _within(address: str, network: str) -> bool:
    try:
        return ipaddress.ip_address(address) in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False
