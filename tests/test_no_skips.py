"""Where nothing may be skipped, a skipped test fails the run."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.parametrize(("forbidden", "code"), [("", 0), ("1", 1)])
def test_a_skipped_test_fails_a_run_that_forbids_it(tmp_path: Path, forbidden: str, code: int) -> None:
    (tmp_path / "test_lazy.py").write_text(
        "import pytest\n\ndef test_lazy():\n    pytest.skip('not today')\n"
    )
    options = ["--rootdir", str(tmp_path), "-c", str(ROOT / "pyproject.toml")]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", *options, "-p", "no:cacheprovider", str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "PAPERBOY_FORBID_SKIPS": forbidden},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == code, run.stdout
