"""The tutorial for authors of generators: its files make packages, and its other code runs."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1]
PAGE = PACKAGE.parents[1] / "docs" / "plugins" / "tutorial.md"
TUTORIAL = PAGE.read_text(encoding="utf-8")
WHOLE_FILE = re.compile(r"^`(\S+)`:\n\n```\w+\n(.*?)^```$", flags=re.MULTILINE | re.DOTALL)
SMALLEST, COPULA = (
    dict(WHOLE_FILE.findall(part)) for part in TUTORIAL.split("\n## 2. A Gaussian copula\n")
)
MOST_LINES = 60


@pytest.mark.parametrize("name", ["pyproject.toml", "causalmix_copula.py"])
def test_a_file_is_shown_word_for_word(name: str) -> None:
    assert COPULA[name] == (PACKAGE / name).read_text(encoding="utf-8")


def test_the_smallest_package_is_small_and_the_page_counts_its_lines() -> None:
    assert [*SMALLEST] == ["pyproject.toml", "causalmix_smoothed.py"]
    lines = sum(len(text.splitlines()) for text in SMALLEST.values())
    assert lines <= MOST_LINES
    assert f"{lines} lines" in TUTORIAL


def install(files: dict[str, str], folder: Path, site: Path) -> None:
    """Write the files of a package into an empty folder and install it."""
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_text(text)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
    options = ["--no-build-isolation", "--no-index", "--target", str(site), str(folder)]
    subprocess.run([*pip, *options], check=True, timeout=200)


def test_from_empty_folders_both_are_installed_and_the_other_code_runs(tmp_path: Path) -> None:
    site = tmp_path / "site"
    install(SMALLEST, tmp_path / "smallest", site)
    install({**COPULA, "README.md": "A Gaussian copula."}, tmp_path / "copula", site)
    own = re.findall(
        r"^```python\n(.*?)^```$",
        WHOLE_FILE.sub("", TUTORIAL),
        flags=re.MULTILINE | re.DOTALL,
    )
    assert len(own) == 5
    names = ["causalmix_smoothed", "causalmix_copula"]
    where = f"import sys; print(*(sys.modules[name].__file__ for name in {names}))"
    done = subprocess.run(
        [sys.executable, "-c", "\n".join([*own, where])],
        cwd=tmp_path,
        env=os.environ
        | {"PYTHONPATH": os.pathsep.join([str(site), os.environ.get("PYTHONPATH", "")])},
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [str(site / f"{name}.py") for name in names]
