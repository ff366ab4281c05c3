"""The tutorial for authors of generators: its files make this package, and its other code runs."""

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
SHOWN = dict(WHOLE_FILE.findall(TUTORIAL))


@pytest.mark.parametrize("name", ["pyproject.toml", "causalmix_copula.py"])
def test_a_file_is_shown_word_for_word(name: str) -> None:
    assert SHOWN[name] == (PACKAGE / name).read_text(encoding="utf-8")


def test_from_an_empty_folder_it_is_installed_and_its_other_code_runs(tmp_path: Path) -> None:
    folder, site = tmp_path / "empty", tmp_path / "site"
    folder.mkdir()
    for name, text in SHOWN.items():
        (folder / name).write_text(text)
    (folder / "README.md").write_text("A Gaussian copula.")
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
    options = ["--no-build-isolation", "--no-index", "--target", str(site), str(folder)]
    subprocess.run([*install, *options], check=True, timeout=200)
    rest = WHOLE_FILE.sub("", TUTORIAL)
    own = re.findall(r"^```python\n(.*?)^```$", rest, flags=re.MULTILINE | re.DOTALL)
    assert len(own) == 3
    script = "\n".join([*own, "import causalmix_copula", "print(causalmix_copula.__file__)"])
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env=os.environ
        | {"PYTHONPATH": os.pathsep.join([str(site), os.environ.get("PYTHONPATH", "")])},
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(site / "causalmix_copula.py")
