"""The tutorial for authors of backbones shows this package as it is, and its other code runs."""

import re
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1]
PAGE = PACKAGE.parents[1] / "docs" / "plugins" / "backbone.md"
TUTORIAL = PAGE.read_text(encoding="utf-8")
WHOLE_FILE = re.compile(r"^`(\S+)`:\n\n```\w+\n(.*?)^```$", flags=re.MULTILINE | re.DOTALL)
SHOWN = dict(WHOLE_FILE.findall(TUTORIAL))
NEEDED = [
    "pyproject.toml",
    *(str(path.relative_to(PACKAGE)) for path in sorted(PACKAGE.glob("causalmix_nearest/*.py"))),
    "tests/test_contract.py",
]


def test_the_tutorial_shows_the_files_that_the_package_needs() -> None:
    assert sorted(SHOWN) == sorted(NEEDED)


@pytest.mark.parametrize("name", NEEDED)
def test_a_file_is_shown_word_for_word(name: str) -> None:
    assert SHOWN[name] == (PACKAGE / name).read_text(encoding="utf-8")


def test_the_other_code_of_the_tutorial_runs() -> None:
    rest = WHOLE_FILE.sub("", TUTORIAL)
    own = re.findall(r"^```python\n(.*?)^```$", rest, flags=re.MULTILINE | re.DOTALL)
    assert len(own) == 2
    namespace: dict[str, object] = {}
    for block in own:
        exec(compile(block, PAGE.name, "exec"), namespace)
