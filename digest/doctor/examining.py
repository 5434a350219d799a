"""All checks in their groups, each kept from spoiling the others."""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass

from digest.doctor import composed, dkim, dmarc, house, mail_server, provider, replies, spf, website
from digest.doctor.finding import CouldNotLookError, Finding, Findings, Level, quoted, unseen
from digest.doctor.looking import Looking

Check = Callable[[Looking], Findings]

#: In this order: what comes later may lean on what was found before.
GROUPS: dict[str, dict[str, Check]] = {
    "sender": {
        "SPF": spf.look,
        "DKIM": dkim.look,
        "DMARC": dmarc.look,
        "alignment": dmarc.align,
        "answers": replies.look,
        "reverse DNS": mail_server.reverse,
    },
    "way out": {"the mail server": mail_server.look, "the provider": provider.look},
    "mail": {"a digest": composed.look},
    "site": {
        "the site": website.look,
        "one-click unsubscribing": website.unsubscribing,
        "the webhook": website.webhook,
    },
    "house": {
        "the database": house.database,
        "the broker": house.broker,
        "what is due": house.due,
        "the machine": house.machine,
        "the settings": house.settings_checked,
    },
}


@dataclass(frozen=True, slots=True)
class Line:
    """A finding of one group."""

    group: str
    finding: Finding


def examine(looking: Looking, groups: Iterable[str] = GROUPS) -> Iterator[Line]:
    """Yield everything that is found, as it is found."""
    for group in groups:
        for name, check in GROUPS[group].items():
            for finding in _careful(name, check, looking):
                yield Line(group, finding)


def _careful(name: str, check: Check, looking: Looking) -> Iterator[Finding]:
    """A check that breaks is one that could not look: the others go on."""
    try:
        yield from check(looking)
    except CouldNotLookError as error:
        yield unseen(f"{name}: {quoted(error)}")
    except Exception as error:  # noqa: BLE001 - whatever a broken installation brings up
        yield unseen(f"{name}: {type(error).__name__}: {quoted(error)}")


def as_json(lines: Iterable[Line]) -> str:
    """Return the findings for a program."""
    found = [{"group": line.group, **asdict(line.finding)} for line in lines]
    wrong = sum(each["level"] == Level.WRONG for each in found)
    return json.dumps({"wrong": wrong, "findings": found}, indent=2)
