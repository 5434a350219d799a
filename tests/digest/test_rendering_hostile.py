"""Bad input: whatever a source stored, the mail is safe, readable and small enough."""

from datetime import date
from email import message_from_bytes, policy

import pytest

from digest.models import Candidate
from digest.ranking import Pick
from digest.rendering import fragments
from digest.rendering.renderer import MOST_HTML, EditionRenderer
from tests.cast import NOON, a_frozen_edition, a_paper, a_reader, a_topic
from tests.digest.reading import DAY, DELIVERY, elements, html_of, page_of, rendered, words_of

pytestmark = pytest.mark.django_db

HOSTILE = {
    "template": "{{ 77*77 }} {% load static %}{% debug %}",
    "script": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "mjml": "</mj-text></mj-column><mj-raw><b>out</b></mj-raw>",
    "markup": "</td></tr></table></body></html>",
    "attribute": "\" onmouseover='alert(1)' x=\"",
    "comment": "<!-- <![endif]--> <!--[if mso]>",
    "slot": "%%unsubscribe%% %%papers%% %%why%%",
    "entity": "&lt;b&gt; &amp; &#60; &nbsp",
    "emoji": "👩\u200d🔬 finds 🎉 in 𝔘𝔫𝔦𝔠𝔬𝔡𝔢",
    "right to left": "שלום עולם: מאמר",
    "TeX": r"\input{/etc/passwd} $\alpha_{\beta}$ \verb|x|",
    "formatting": "%s %(x)d {0} {name} $x",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_text_is_only_text_wherever_it_stands(name: str) -> None:
    text = HOSTILE[name]
    paper = a_paper(
        f"Title {text}",
        a_topic("t", name=f"Topic {text}"[:60]),
        abstract=f"Abstract {text}",
        authors=[f"{text} Writer", "Ben Sample"],
        code_url="https://example.org/",
    )
    edition = a_frozen_edition(DAY, paper, note=f"Note {text}", missing_sources=[text])
    Candidate.objects.update(note=f"Remark {text}")
    message = rendered(edition, paper, reason=f"matches {text}")
    page = page_of(message)
    # The shape of the mail is that of a mail about a harmless paper.
    harmless = a_paper("Title", a_topic("u"), authors=["A B", "C D"], code_url="https://example.org/")
    plain_edition = a_frozen_edition(date(2026, 3, 5), harmless, note="Note", missing_sources=["x"])
    Candidate.objects.filter(edition=plain_edition).update(note="Remark")
    expected = page_of(rendered(plain_edition, harmless))
    assert [element.tag for element in page.iter()] == [element.tag for element in expected.iter()]
    assert not any(key.startswith("on") for element in page.iter() for key in element.attrib)
    assert "5929" not in words_of(message)
    if name != "TeX":
        assert f"Title {text}" in words_of(message)
        assert f"Title {text}" in " ".join(str(message.body).split())


@pytest.mark.parametrize(
    "control", ["\r\n", "\x00", "\x0b", "\x0c", "\x1c", "\x1d", "\x85", "\u2028", "\u202e", "\ud800"]
)
def test_a_control_character_in_a_title_neither_poisons_nor_shows(control: str) -> None:
    paper = a_paper()
    # Not stored by PostgreSQL or SQLite, all of them; the mail must not rely on that.
    paper.title = paper.abstract = f"Before{control}Bcc: eve@example.org"
    edition = a_frozen_edition(DAY)
    entry = fragments.Entry(paper, None)
    built = fragments.build(entry, 0, 2026)
    assert control not in built.title
    renderer = EditionRenderer(edition, [])
    renderer._entries[paper.pk] = entry
    message = renderer.message(DELIVERY, a_reader(), [Pick(paper.pk, f"new{control}today")], NOON)
    parsed = message_from_bytes(message.message().as_bytes(), policy=policy.SMTP.clone(raise_on_defect=True))
    assert parsed["Bcc"] is None
    assert "Bcc: eve@example.org" in parsed["Subject"]


def test_a_title_of_five_megabytes_is_a_clipped_title() -> None:
    paper = a_paper("Long " * 1_000_000, abstract="y" * 5_000_000)
    message = rendered(a_frozen_edition(DAY, paper), paper)
    assert len(str(message.subject)) <= 140
    assert len(message.message().as_bytes()) < 40_000


def test_a_paper_with_nothing_but_an_identity_is_still_a_row() -> None:
    paper = a_paper(" ", abstract="", authors=[], arxiv_id=None, published_at=None)
    message = rendered(a_frozen_edition(DAY, paper), paper)
    assert "Untitled" in words_of(message)
    shown = elements(message, ".pt a") + elements(message, ".pl a")
    assert {str(a.get("href")).partition("/papers/")[2] for a in shown} == {f"{paper.identity}/"}


@pytest.mark.parametrize("address", ["javascript:alert(1)", "https://example.org/ x", 'https://e.org/"><b>'])
def test_a_link_that_is_none_is_left_out(address: str) -> None:
    paper = a_paper(code_url=address, project_url=address, arxiv_id=None)
    message = rendered(a_frozen_edition(DAY, paper), paper)
    assert address not in html_of(message)
    (only,) = elements(message, ".pl a")
    assert str(only.get("href")).endswith(f"/papers/{paper.identity}/")


@pytest.mark.parametrize("letter", ["'", "🎉", "&", "漢", "e"])
def test_the_html_never_passes_what_gmail_shows_whatever_the_papers_hold(letter: str) -> None:
    """25 papers, every field as long as it can be, of characters that grow when escaped or encoded."""
    worst = letter * 400
    topics = [a_topic(f"t{place}", name=f"{place}{worst}"[:60]) for place in range(5)]
    papers = [
        a_paper(
            f"{place} {worst} {worst}",
            *topics,
            abstract=f"{worst} " * 10,
            authors=[f"{worst} {worst}"] * 40,
            code_url="https://example.org/?" + "a&" * 120,
            project_url="https://example.org/?" + "b&" * 120,
            thumbnail="thumbnails/" + "f" * 60 + ".jpg",
            thumbnail_width=320,
            thumbnail_height=900,
        )
        for place in range(25)
    ]
    edition = a_frozen_edition(DAY, *papers, note=f"{worst} " * 20, missing_sources=["arxiv"])
    Candidate.objects.update(note=worst[:280])
    reader = a_reader("'" * 60 + "@" + "long-name." * 18 + "example")
    message = rendered(edition, *papers, reader=reader, reason=f'matches "{worst}"')
    assert len(html_of(message).encode()) <= MOST_HTML
    octets = message.message().as_bytes(linesep="\r\n")  # type: ignore[call-arg]
    assert max(map(len, octets.split(b"\r\n"))) <= 998
    part = message_from_bytes(octets, policy=policy.SMTP).get_body(("html",))
    assert part is not None
    assert part["Content-Transfer-Encoding"] in {"7bit", "8bit"}
    assert len(part.as_bytes()) <= 102_400
    shown = len(elements(message, ".pt"))
    assert 5 <= shown <= 25
    assert str(message.subject).endswith(f"+ {shown - 1} more")
    assert "Read all 25 papers online" in words_of(message)


def test_abstracts_are_shortened_before_papers_are_left_out() -> None:
    links = {"code_url": "https://example.org/code", "project_url": "https://example.org/project"}
    papers = [a_paper(abstract=("'" * 20 + " ") * 100, **links) for _ in range(25)]
    edition = a_frozen_edition(DAY, *papers)
    few, many = rendered(edition, *papers[:5]), rendered(edition, *papers)
    assert len(elements(many, ".pt")) == 25
    assert len(html_of(many).encode()) <= MOST_HTML
    longest = [max(len(div.text or "") for div in elements(mail, "div")) for mail in (few, many)]
    assert longest[0] > longest[1]
    assert longest[0] > 300


def test_a_title_that_runs_the_other_way_turns_nothing_but_itself() -> None:
    paper = a_paper("\u202eשלום", authors=["שלום עולם"])
    message = rendered(a_frozen_edition(DAY, paper), paper)
    (title,) = elements(message, ".pt")
    assert title.get("dir") == "auto"
    assert elements(message, "bdi")
    assert "\u202e" not in html_of(message) + str(message.body) + str(message.subject)
