"""`.env.example` explains every setting that is read, and no other."""

import ast
import re
from pathlib import Path

import environ
import pytest
from django.conf import settings

from digest import configuration
from tests.environment import SETTINGS

ROOT: Path = settings.BASE_DIR
#: The one name that Django itself reads.
DJANGO_OWN = {"DJANGO_SETTINGS_MODULE"}


def _read_by(code: str) -> set[str]:
    """Return the names in capitals that `code` looks up in the environment by a literal."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Call):
            asked = ast.unparse(node.func)
            if asked.startswith(("env.", "os.environ.")) or asked == "required":
                names |= set().union(*map(_name, node.args[:1]))
        elif isinstance(node, ast.Compare) and "os.environ" in ast.unparse(node.comparators[0]):
            names |= _name(node.left)
        elif isinstance(node, ast.Subscript) and ast.unparse(node.value) == "os.environ":
            names |= _name(node.slice)
    return names


def _name(node: ast.expr) -> set[str]:
    """Return the name that `node` spells, if it is a literal one."""
    if isinstance(node, ast.Constant) and re.fullmatch(r"[A-Z][A-Z0-9_]+", str(node.value)):
        return {str(node.value)}
    return set()


def _explained() -> set[str]:
    return set(re.findall(r"^#?([A-Z][A-Z0-9_]*)=", (ROOT / ".env.example").read_text(), re.MULTILINE))


def _settings() -> set[str]:
    sources = [ROOT / "digest" / f"{name}.py" for name in ("settings", "configuration", "logs")]
    names = set().union(*(_read_by(file.read_text()) for file in sources if file.exists()))
    for needed in (*configuration.PROVIDERS.values(), *configuration.PROVIDER_OPTIONS.values()):
        names |= set(needed)
    names |= set(re.findall(r"\$\{([A-Z_]+):-", (ROOT / "Procfile").read_text()))
    return names - DJANGO_OWN


def test_every_setting_is_explained() -> None:
    assert not _settings() - _explained()


def test_nothing_is_explained_that_nobody_reads() -> None:
    optional = {f"{provider.upper()}_API_URL" for provider in configuration.PROVIDERS}
    assert not _explained() - _settings() - optional


def test_the_readme_lists_every_setting_but_the_providers_own_keys() -> None:
    listed = set(re.findall(r"`([A-Z][A-Z_]+)`", (ROOT / "README.md").read_text()))
    assert not _read_by((ROOT / "digest" / "settings.py").read_text()) - listed - {"PAPERBOY_ENV_FILE"}


def test_no_setting_of_the_developers_machine_reaches_the_tests() -> None:
    kept = {"DATABASE_URL", "REDIS_URL", "DATA_DIR", "PAPERBOY_ENV_FILE"}
    assert not _read_by((ROOT / "digest" / "settings.py").read_text()) - kept - set(SETTINGS)


def test_the_reader_of_this_test_sees_every_way_to_ask() -> None:
    code = (
        'env.str("A_ONE"); required("A_TWO", "x"); "A_THREE" in os.environ; os.environ["A_FOUR"]; f("A_FIVE")'
    )
    assert _read_by(code) == {"A_ONE", "A_TWO", "A_THREE", "A_FOUR"}
    assert len(_settings()) > 40


def test_as_it_is_it_sets_nothing() -> None:
    lines = (ROOT / ".env.example").read_text().splitlines()
    assert [line for line in lines if line and not line.startswith("#")] == []


def test_every_line_can_be_switched_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    switched_on = re.sub(
        r"^#([A-Z][A-Z0-9_]*=)", r"\1", (ROOT / ".env.example").read_text(), flags=re.MULTILINE
    )
    (tmp_path / "env").write_text(switched_on)
    found: dict[str, str] = {}
    monkeypatch.setattr(environ.Env, "ENVIRON", found)
    environ.Env.read_env(tmp_path / "env")
    assert set(found) == _explained()
    assert found["POSTAL_ADDRESS"].endswith("Exampleland")


def test_each_setting_has_words_above_it() -> None:
    """A line of explanation stands in the same paragraph."""
    for paragraph in (ROOT / ".env.example").read_text().split("\n\n"):
        lines = paragraph.splitlines()
        if any(re.match(r"#[A-Z][A-Z0-9_]*=", line) for line in lines):
            assert lines[0].startswith("# "), paragraph
