import pytest

from subscribers.mjml import MJMLError, to_html

_SHELL = "<mjml><mj-body>{}</mj-body></mjml>"


def test_a_shell_becomes_html_that_loads_nothing_from_elsewhere() -> None:
    html = to_html(
        _SHELL.format(
            '<mj-section><mj-column><mj-text font-family="Ubuntu">Hello</mj-text></mj-column></mj-section>'
        )
    )
    assert "Hello" in html
    assert "fonts.googleapis" not in html
    assert "@import" not in html


def test_lines_are_short_enough_for_mail_before_any_slot_is_filled() -> None:
    section = "<mj-section><mj-column><mj-text>Hello</mj-text></mj-column></mj-section>"
    html = to_html(_SHELL.format(section * 20))
    assert max(map(len, html.splitlines())) < 700


def test_broken_source_is_refused_with_a_sentence() -> None:
    with pytest.raises(MJMLError, match="cannot be compiled"):
        to_html("<mjml><mj-body><mj-section>")


def test_included_files_are_refused() -> None:
    with pytest.raises(MJMLError, match="switched off"):
        to_html(_SHELL.format('<mj-include path="/etc/hostname" />'))
