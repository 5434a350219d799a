"""How fast mail may go, as an operator writes it: "14/s", "gmail.com=20/s"; and whose domain is whose."""

import re
from typing import NamedTuple

_PERIODS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_WORDS = {"second": "s", "sec": "s", "minute": "m", "min": "m", "hour": "h", "day": "d"}
_RATE = re.compile(r"([\d_]+)\s*/\s*([a-z]+)")
#: One mailbox provider with several domains counts them together, and so do we.
_TOGETHER = (
    ("gmail.com", "googlemail.com"),
    ("outlook.com", "hotmail.com", "live.com", "msn.com"),
    ("yahoo.com", "ymail.com", "rocketmail.com", "aol.com"),
    ("icloud.com", "me.com", "mac.com"),
    ("proton.me", "protonmail.com", "pm.me"),
    ("gmx.de", "gmx.net", "gmx.at", "gmx.ch", "web.de"),
)
#: Providers that give each country a domain of its own: hotmail.fr, yahoo.co.uk.
_BY_COUNTRY = {
    "hotmail": "outlook.com",
    "live": "outlook.com",
    "outlook": "outlook.com",
    "yahoo": "yahoo.com",
}
_GROUPS = {domain: group[0] for group in _TOGETHER for domain in group}


class Rate(NamedTuple):
    """At most `many` mails in any `seconds`: 1, 60, 3,600 or 86,400."""

    many: int
    seconds: int

    def __str__(self) -> str:
        word = {1: "second", 60: "minute", 3_600: "hour", 86_400: "day"}[self.seconds]
        return f"{self.many:,} a {word}" if word != "hour" else f"{self.many:,} an hour"


def group_of(domain: str) -> str:
    """Return the name under which mail to `domain` is counted: its provider's first domain, or itself."""
    domain = domain.lower()
    if domain in _GROUPS:
        return _GROUPS[domain]
    name, _, rest = domain.partition(".")
    # A country's domain: hotmail.fr, yahoo.co.uk, live.com.mx; not live.example.org.
    if name in _BY_COUNTRY and re.fullmatch(r"(co\.|com\.)?[a-z]{2}", rest):
        return _BY_COUNTRY[name]
    return domain


def rates(text: str) -> tuple[Rate, ...]:
    """Return what `text` says, such as "14/s, 500/minute". Raises ValueError with what is wrong."""
    return tuple(_rate(part) for part in _parts(text))


def by_domain(text: str) -> dict[str, tuple[Rate, ...]]:
    """Return {group: rates} of `text`, such as "gmail.com=20/s, outlook.com=5/s". Raises ValueError."""
    found: dict[str, tuple[Rate, ...]] = {}
    for part in _parts(text):
        domain, equals, rate = part.partition("=")
        if not equals or not re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)+", domain.strip().lower()):
            raise ValueError(f"{part!r}: write a domain, = and a rate, as gmail.com=20/s.")
        group = group_of(domain.strip())
        found[group] = (*found.get(group, ()), _rate(rate))
    return found


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _rate(text: str) -> Rate:
    match = _RATE.fullmatch(text.strip().lower())
    period = _WORDS.get(match[2], match[2]) if match else ""
    if match is None or period not in _PERIODS or not int(match[1].replace("_", "") or 0):
        raise ValueError(
            f"{text!r} is no rate: write how many a second, minute, hour or day, as 14/s or 50000/day."
        )
    return Rate(int(match[1].replace("_", "")), _PERIODS[period])
