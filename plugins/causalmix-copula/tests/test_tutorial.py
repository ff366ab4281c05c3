"""The tutorial for authors of plugins: it quotes this package, and its other code runs."""

import re
import textwrap
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1]
TUTORIAL = (PACKAGE.parents[1] / "docs" / "plugins" / "tutorial.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", TUTORIAL, flags=re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize(
    ("language", "file"), [("python", "causalmix_copula.py"), ("toml", "pyproject.toml")]
)
def test_the_tutorial_quotes_the_package_word_for_word(language: str, file: str) -> None:
    text = (PACKAGE / file).read_text(encoding="utf-8")
    quotes = [block for block in blocks(language) if block.startswith(f"# {file}\n")]
    assert quotes
    for quote in quotes:
        excerpt = quote.partition("\n")[2]
        assert excerpt in text, f"not in {file}:\n{excerpt}"


def test_the_other_code_of_the_tutorial_runs() -> None:
    namespace: dict[str, object] = {}
    own = [block for block in blocks("python") if not block.startswith("# causalmix_copula.py\n")]
    assert len(own) == 3
    for block in own:
        exec(compile(textwrap.dedent(block), "tutorial.md", "exec"), namespace)
