"""The digest as Chromium lays it out: every width, light and dark, with and without pictures."""

from typing import Literal

import pytest
from playwright.sync_api import Browser

from digest.models import Candidate
from tests.cast import a_frozen_edition, a_paper, a_topic
from tests.digest.reading import DAY, html_of, rendered

pytestmark = [pytest.mark.browser, pytest.mark.django_db]

# The colours that text is read in, and what lies behind it, by the formula of WCAG 2.2 section 1.4.3.
_CONTRASTS = """() => {
  const parts = colour => colour.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
    .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = element => {
    for (let at = element; at; at = at.parentElement) {
      const colour = parts(getComputedStyle(at).backgroundColor);
      if (colour.length === 3 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const seen = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement, words = walker.currentNode.data.trim();
    if (!words || !element.getClientRects().length || getComputedStyle(element).opacity === "0") continue;
    const [a, b] = [light(parts(getComputedStyle(element).color)), light(behind(element))];
    seen.push([(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), words.slice(0, 40)]);
  }
  return seen;
}"""


def a_full_mail() -> str:
    topics = [a_topic(f"t{place}", name=f"A topic with quite a long name {place}") for place in range(4)]
    papers = [
        a_paper("An ordinary title of an ordinary paper", *topics, summary="In one line.", upvotes=12),
        a_paper("Pneumonoultramicroscopicsilicovolcanoconiosis" * 3, abstract="x" * 300),
        a_paper("عنوان البحث", authors=["شخص ما"], code_url="https://example.org/" + "a" * 200),
    ]
    for paper in papers:
        paper.thumbnail, paper.thumbnail_width, paper.thumbnail_height = "thumbnails/none.jpg", 320, 168
        paper.save()
    edition = a_frozen_edition(
        DAY, *papers, note="See https://example.org/" + "a" * 150, missing_sources=["arxiv"]
    )
    Candidate.objects.update(note="Worth reading twice.")
    return html_of(rendered(edition, *papers, reason='matches "' + "y" * 120 + '"'))


@pytest.fixture
def mail() -> str:
    return a_full_mail()


@pytest.mark.parametrize(("scheme", "paper"), [("light", "rgb(250, 248, 244)"), ("dark", "rgb(22, 21, 19)")])
@pytest.mark.parametrize("width", [320, 400, 700, 1200])
def test_the_mail_fits_the_screen_and_every_word_can_be_read(
    chromium: Browser, mail: str, scheme: Literal["light", "dark"], paper: str, width: int
) -> None:
    asked: list[str] = []
    page = chromium.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page.on("request", lambda request: asked.append(request.url))
    page.set_content(mail)
    words = page.evaluate(_CONTRASTS)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert page.evaluate("getComputedStyle(document.querySelector('.bg')).backgroundColor") == paper
    assert len(words) > 20
    assert [faint for faint in words if faint[0] < 4.5] == []
    assert {address.rpartition("/")[2] for address in asked if address.startswith("http")} == {"none.jpg"}
    page.close()
