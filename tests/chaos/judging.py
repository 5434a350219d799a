"""Judge a run: the mail server's ledger against the database. Pure; `test_judging` shows that it can see."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from tests.chaos.ledger import Mail


@dataclass(frozen=True)
class Row:
    """A delivery as the database has it: reader's address, public id, state, papers picked (arXiv ids)."""

    reader: str
    delivery: str
    state: str
    papers: frozenset[str]


@dataclass(frozen=True)
class Death:
    """One kill that happened: how many processes of the pool died, by which signal, and which deliveries (by
    public id) were `submitting` right after, or `unknown` already."""

    processes: int
    signal: int
    on_the_wire: frozenset[str] = frozenset()


@dataclass
class Verdict:
    """What was counted, and in sentences what is wrong."""

    sent: int = 0
    unknown: int = 0
    arrived: int = 0
    duplicates: int = 0
    lost: int = 0
    unbalanced: int = 0
    faults: list[str] = field(default_factory=list)

    def blame(self, count: int, sentence: str) -> int:
        """Note a fault that was found `count` times; return the count."""
        if count:
            self.faults.append(f"{count} {sentence}")
        return count


@dataclass(frozen=True)
class Facts:
    """What a run left behind. `planted`: readers whose outcome the mail server itself made unknown."""

    mails: Sequence[Mail]
    rows: Sequence[Row]
    eligible: Collection[str]
    balance: str
    exact: bool
    deaths: Sequence[Death]
    kills_planned: int
    in_flight: int
    planted: Collection[str] = ()


def judge(facts: Facts) -> Verdict:
    """Return the verdict on the edition under which workers were killed."""
    verdict = Verdict(sent=len(facts.mails))
    _count_mails(verdict, facts)
    _count_rows(verdict, facts)
    _count_unknown(verdict, facts)
    verdict.unbalanced = verdict.blame(int(not facts.exact), f"account does not balance: {facts.balance}")
    missed = facts.kills_planned - len([death for death in facts.deaths if death.signal == 9])
    verdict.blame(missed, "planned kills did not happen")
    return verdict


def _count_mails(verdict: Verdict, facts: Facts) -> None:
    """Nobody twice; each mail one that the database knows."""
    verdict.duplicates = verdict.blame(
        max(_repeated(mail.reader for mail in facts.mails), _repeated(mail.delivery for mail in facts.mails)),
        "mails came twice",
    )
    known = {(row.reader, row.delivery): row for row in facts.rows}
    strange = [mail for mail in facts.mails if (mail.reader, mail.delivery) not in known]
    verdict.blame(len(strange), "mails belong to no delivery")
    told = ("accepted", "unknown")
    told_of = [mail for mail in facts.mails if (mail.reader, mail.delivery) in known]
    untold = [mail for mail in told_of if known[mail.reader, mail.delivery].state not in told]
    verdict.blame(len(untold), "mails left, and the database does not say so")
    other = [mail for mail in told_of if mail.papers != known[mail.reader, mail.delivery].papers]
    verdict.blame(len(other), "mails have other papers than the database says")
    verdict.blame(
        sum(not mail.papers for mail in facts.mails), "mails have no paper: nothing could be judged"
    )


def _count_rows(verdict: Verdict, facts: Facts) -> None:
    """Nobody missed: whoever was to get the edition has a delivery, and a mail unless it is unknown."""
    enrolled, got = {row.reader for row in facts.rows}, {mail.reader for mail in facts.mails}
    forgotten = verdict.blame(len(set(facts.eligible) - enrolled), "readers were not enrolled")
    verdict.blame(len(enrolled - set(facts.eligible)), "readers were enrolled who were not to be")
    lied = [row for row in facts.rows if row.state == "accepted" and row.reader not in got]
    verdict.blame(len(lied), "deliveries are accepted that no mail server took")
    ended = Counter(row.state for row in facts.rows if row.state not in ("accepted", "unknown"))
    for state, count in sorted(ended.items()):
        verdict.blame(count, f"deliveries ended as {state}")
    unknown = {row.reader for row in facts.rows if row.state == "unknown"}
    verdict.lost = forgotten + verdict.blame(len(enrolled - unknown - got), "readers got nothing")


def _count_unknown(verdict: Verdict, facts: Facts) -> None:
    """No more unknown than were on the wire when somebody died."""
    got = {mail.delivery for mail in facts.mails}
    unknown = [row for row in facts.rows if row.state == "unknown"]
    verdict.unknown = len(unknown)
    verdict.arrived = sum(row.delivery in got for row in unknown)
    by_death = [row for row in unknown if row.reader not in facts.planted]
    on_the_wire = frozenset[str]().union(*(death.on_the_wire for death in facts.deaths))
    strange = [row for row in by_death if row.delivery not in on_the_wire]
    verdict.blame(len(strange), "deliveries are unknown that were not on the wire when somebody died")
    at_most = sum(death.processes for death in facts.deaths) * 2 * facts.in_flight
    verdict.blame(max(len(by_death) - at_most, 0), f"unknown more than two groups a process ({at_most})")


def judge_next(
    verdict: Verdict,
    before: Sequence[Row],
    after: Sequence[Mail],
    eligible: Collection[str],
    new: Collection[str],
) -> None:
    """Add to `verdict` what the next edition's mails `after` say; its `new` papers are in no other."""
    verdict.duplicates += verdict.blame(
        _repeated(mail.reader for mail in after), "mails of the next edition twice"
    )
    got = {mail.reader: mail.papers for mail in after}
    verdict.lost += verdict.blame(len(set(eligible) - set(got)), "readers did not get the next edition")
    verdict.blame(len(set(got) - set(eligible)), "readers got the next edition who were not to")
    had = [row for row in before if row.state == "accepted" and got.get(row.reader, frozenset()) & row.papers]
    verdict.blame(len(had), "readers got papers again that they had")
    owed = [row for row in before if row.state == "unknown" and row.reader in got]
    missing = [
        f"{row.reader} {sorted(row.papers - got[row.reader])}" for row in owed if row.papers - got[row.reader]
    ]
    verdict.lost += verdict.blame(
        len(missing), f"readers of unknown deliveries missed their papers for good: {missing[:3]}"
    )
    fresh = [reader for reader, papers in got.items() if not papers & set(new)]
    verdict.blame(len(fresh), "readers got nothing new in the next edition")


def _repeated(names: Iterable[str]) -> int:
    """Return how many of `names` came again."""
    return sum(count - 1 for count in Counter(names).values())
