"""The style sheet keeps to WCAG 2.2 AA in light and dark, and to our own host."""

import re
from pathlib import Path

import pytest
from django.conf import settings

SHEET = (Path(settings.BASE_DIR) / "digest/static/digest/paperboy.css").read_text()
LIGHT, DARK = (dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block)) for block in SHEET.split("@media")[:2])
MODES = {"light": LIGHT, "dark": {**LIGHT, **DARK}}

#: (ink, ground, least ratio): 4.5 for text (success criterion 1.4.3), 3 for edges of controls (1.4.11).
PAIRS = [
    ("text", "bg", 4.5),
    ("text", "surface", 4.5),
    ("text", "accent-soft", 4.5),
    ("text", "warn-soft", 4.5),
    ("text", "line", 4.5),
    ("muted", "bg", 4.5),
    ("muted", "surface", 4.5),
    ("accent", "bg", 4.5),
    ("accent", "surface", 4.5),
    ("accent-strong", "bg", 4.5),
    ("accent-strong", "accent-soft", 4.5),
    ("accent-text", "accent", 4.5),
    ("accent-text", "accent-strong", 4.5),
    ("warn", "bg", 4.5),
    ("warn", "surface", 4.5),
    ("edge", "bg", 3.0),
    ("edge", "surface", 3.0),
]


def luminance(colour: str) -> float:
    """Return the relative luminance of #rrggbb, as WCAG defines it."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_the_measure_of_contrast_is_the_one_of_the_standard() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("ink", "ground", "least"), PAIRS)
def test_ink_stands_out_from_its_ground(mode: str, ink: str, ground: str, least: float) -> None:
    assert contrast(MODES[mode][ink], MODES[mode][ground]) >= least


def test_both_modes_set_the_same_colours() -> None:
    assert set(LIGHT) == set(DARK)


def test_the_sheet_loads_nothing_and_colours_come_from_tokens() -> None:
    assert "url(" not in SHEET
    assert "@import" not in SHEET
    rules = SHEET[SHEET.index("*, *::before") :]
    assert re.findall(r"#[0-9a-f]{3,8}\b|rgba?\(", rules) == []
