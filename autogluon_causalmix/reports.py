"""`report_of`: the reports of a predictor, with the names of its classes and categories."""

import html
import sys
import tempfile
import webbrowser
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autogluon.features.generators import AsTypeFeatureGenerator, CategoryFeatureGenerator
from autogluon.tabular import TabularPredictor

from autogluon_causalmix.errors import CausalMixError
from autogluon_causalmix.records import FitReport
from autogluon_causalmix.refit import REPORT_FILE

if TYPE_CHECKING:  # loads matplotlib
    from autogluon_causalmix.report.style import Drawing


class ShownReport(FitReport):
    """A fit report that a notebook shows as a summary, with pictures and a page."""

    def _repr_html_(self) -> str:
        from autogluon_causalmix.report.templates import render

        return render("summary.html", report=self)

    @property
    def verdict(self) -> str:
        """Which weights predict and why, in one sentence."""
        return f"The {self.kept} weights predict: {self.reason}."

    def draw_graph(self) -> "Drawing":
        """Return the picture of the causal graph.

        Raises
        ------
        CausalMixError
            There is no generator, or it describes none or one in a format of its own.
        """
        from autogluon_causalmix.report.pictures import draw_described

        graph: Any = self.generator.description.get("graph") if self.generator else None
        if graph is None:
            raise CausalMixError("this fit has no causal graph: its generator describes none")
        return draw_described(graph, self.target)

    def draw_curve(self) -> "Drawing":
        """Return the picture of the log-loss by step."""
        from autogluon_causalmix.report.curves import draw_curve, draw_curves, runs_of

        return draw_curves(runs_of("", self)) if self.members else draw_curve(self)

    def draw_marginals(self) -> "Drawing":
        """Return the picture of real beside synthetic rows, column by column."""
        from autogluon_causalmix.report.pictures import draw_marginals

        return draw_marginals(self.marginals)

    def write_page(self, path: str | Path) -> None:
        """Write the report as one HTML file; one that is there is replaced."""
        from autogluon_causalmix.report.page import write_page

        write_page(path, {"CausalMix": self}, title=f"CausalMix: {self.target}")

    def show(self) -> object:
        """Show the page: in a notebook as its output, else in a browser."""
        with tempfile.NamedTemporaryFile(suffix=".html", delete=False) as file:
            self.write_page(file.name)
        if "IPython" in sys.modules and sys.modules["IPython"].get_ipython() is not None:
            page = html.escape(Path(file.name).read_text(encoding="utf-8"))
            Path(file.name).unlink()
            frame = f'<iframe srcdoc="{page}" style="width: 100%; height: 40rem; border: 0">'
            return sys.modules["IPython"].display.HTML(f"{frame}</iframe>")
        webbrowser.open(Path(file.name).as_uri())
        return file.name


def report_of(predictor: TabularPredictor, model: str | None = None) -> ShownReport:
    """Return the fit report of a CausalMix model in a predictor.

    Parameters
    ----------
    predictor : TabularPredictor
        A fitted predictor.
    model : str, optional
        A key of `reports_of`: the model's name, with ``"/S1F1"`` and so on for a fold. None takes
        the only one, or the first where there are several.

    Raises
    ------
    CausalMixError
        The predictor has no such model.

    Examples
    --------
    >>> report_of(predictor).kept  # doctest: +SKIP
    'fine-tuned'
    """
    found = reports_of(predictor)
    if not found:
        raise CausalMixError("the predictor has no CausalMix model: its log says why")
    chosen = next(iter(found)) if model is None else model
    if chosen not in found:
        raise CausalMixError(
            f"the predictor has no CausalMix model {model!r}; it has {list(found)}"
        )
    return found[chosen]


def reports_of(predictor: TabularPredictor) -> dict[str, ShownReport]:
    """Return the fit reports of all CausalMix models in a predictor, by model, and fold."""
    classes = predictor.class_labels_internal_map or {}
    names = _category_names(predictor)
    names[str(predictor.label)] = {str(code): str(name) for name, code in classes.items()}
    models = Path(predictor.path) / "models"
    return {
        path.parent.relative_to(models).as_posix(): ShownReport.read(path).named(names)
        for path in sorted(models.rglob(REPORT_FILE))
    }


def _category_names(predictor: TabularPredictor) -> dict[str, dict[str, str]]:
    """Return the name of each code by column, as AutoGluon's feature generators number them."""
    names: dict[str, dict[str, str]] = {}
    for outer in predictor._learner.feature_generators:
        for generator in _all_generators(outer):
            if isinstance(generator, CategoryFeatureGenerator):
                for column, words in (generator.category_map or {}).items():
                    names[str(column)] = {str(code): str(word) for code, word in enumerate(words)}
            if isinstance(generator, AsTypeFeatureGenerator):  # of two values it keeps one
                for column, word in (generator._bool_features or {}).items():
                    if isinstance(word, str):
                        names[str(column)] = {"0": f"not {word}", "1": word}
    return names


def _all_generators(generator: Any) -> Iterator[Any]:
    """Yield a feature generator and those inside of it."""
    yield generator
    for inner in chain(*(getattr(generator, "generators", None) or ())):
        yield from _all_generators(inner)
