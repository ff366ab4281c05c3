"""The report of a fit: its file, its marginals against counts by hand, its pictures, its page."""

import base64
import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, StepPatch
from matplotlib.text import Text
from matplotlib.textpath import text_to_path

from autogluon_causalmix.errors import CheckpointError, ConfigError, GeneratorError
from autogluon_causalmix.fidelity.marginals import BINS, MOST_BARS, distance, marginals
from autogluon_causalmix.records import (
    BackboneFacts,
    CurvePoint,
    FitReport,
    GeneratorFacts,
    Marginal,
    RowCounts,
    Scores,
)
from autogluon_causalmix.report.edges import cautions, edge_lines
from autogluon_causalmix.report.layout import Edge, layered
from autogluon_causalmix.report.marginals import MOST_PANELS
from autogluon_causalmix.report.page import write_page
from autogluon_causalmix.report.pictures import (
    draw_arms,
    draw_curve,
    draw_curves,
    draw_described,
    draw_graph,
    draw_marginals,
    save,
    to_svg,
)
from autogluon_causalmix.report.style import VERMILION, label
from autogluon_causalmix.table import Table

HOSTILE = "<script>alert(1)</script>"
NASTY = [
    "$\\frac{$",
    "_hidden",
    '"quoted" & co',
    "two\nlines",
    "nul\x00bell\x07",
    "\u202eright to left",
    "名前",
    "x" * 500,
]


def table(**columns: Any) -> Table:
    frame = pd.DataFrame(columns)
    return Table.from_frame(
        frame.assign(target=(["no", "yes"] * len(frame))[: len(frame)]), "target"
    )


def report(names: tuple[str, str] = ("age", "ill"), **changes: Any) -> FitReport:
    """Return a report whose numbers and sentences can be told apart."""
    numeric = Marginal(
        column=names[0], kind="numeric", labels=[0.5, 1.5, 2.5], real=[0.5, 0.25],
        synthetic=[0.125, 0.75], missing=(0.25, 0.125),
    )  # fmt: skip
    levels = Marginal(
        column=names[1], kind="categorical", labels=[f"no {names[1]}", "yes"], real=[0.75, 0.25],
        synthetic=[0.625, 0.375], missing=(0.0, 0.0),
    )  # fmt: skip
    description: dict[str, object] = {
        "graph": {"nodes": list(names), "probability": [[0.0, 0.8125], [0.1875, 0.0]]},
        "mechanisms": {names[0]: {"smooth": 17}, names[1]: {"linear": 19}},
        "notes": ["said elsewhere"],
    }
    facts: dict[str, Any] = {
        "versions": {"torch": "2.13.0", "dowhy": "0.14"},
        "seed": 4711,
        "device": "cpu",
        "backbone": BackboneFacts(
            name="mini",
            weights="mini.safetensors",
            sha256="ab" * 32,
            license="Apache-2.0",
            parameters=633_994,
        ),
        "generator": GeneratorFacts(
            name="scm",
            distribution="some-distribution",
            version="9.8.7",
            options={"graphs": 11},
            description=description,
        ),
        "rows": RowCounts(real=161, validation=41, synthetic=323),
        "options": {"learning_rate": 0.00031, "mixing": {"ratio": 2.125, "role": "query"}},
        "seconds": {"generator": 1.483, "fine-tuning": 13.687},
        "curve": [
            CurvePoint(step=0, train_loss=None, validation_loss=0.5121),
            CurvePoint(step=3, train_loss=0.6132, validation_loss=0.4983),
            CurvePoint(step=6, train_loss=0.5954, validation_loss=0.5376),
        ],
        "pretrained": Scores(log_loss=0.5121, roc_auc=0.7113),
        "tuned": Scores(log_loss=0.4983, roc_auc=0.7329),
        "kept": "fine-tuned",
        "kept_step": 3,
        "reason": "validation log-loss 0.5121 before and 0.4983 after fine-tuning",
        "marginals": [numeric, levels],
        "notes": ["41 rows are held out for validation", f"the column {names[0]} was hard"],
        "target": names[1],
    }
    return FitReport(**(facts | changes))


# ---- the file


def test_a_report_survives_its_file(tmp_path: Path) -> None:
    written = report(names=(HOSTILE, "名前"))
    written.write(tmp_path / "report.json")
    assert FitReport.read(tmp_path / "report.json") == written


def _whole() -> dict[str, Any]:
    facts: dict[str, Any] = report().model_dump(mode="json")
    return facts


def test_a_report_of_the_first_release_is_still_read(tmp_path: Path) -> None:
    """Its file has no schema version; everything else is as it was."""
    first = {name: value for name, value in _whole().items() if name != "schema_version"}
    (tmp_path / "fit_report.json").write_text(json.dumps(first))
    assert FitReport.read(tmp_path / "fit_report.json") == FitReport.model_validate(_whole())


def test_a_report_of_a_later_release_is_refused_with_both_versions(tmp_path: Path) -> None:
    (tmp_path / "fit_report.json").write_text(json.dumps(_whole() | {"schema_version": 99}))
    with pytest.raises(
        CheckpointError, match="version is 99, and this release reads versions up to 1"
    ):
        FitReport.read(tmp_path / "fit_report.json")


@pytest.mark.parametrize(
    "text",
    [
        b"",
        report().model_dump_json().encode()[:-40],
        b'"\xff\xfe"',
        b"[" * 100_000,
        b'{"versions": {}}',
        json.dumps(_whole() | {"kept": "neither"}).encode(),
        json.dumps(_whole() | {"foreign": 1}).encode(),
        json.dumps(_whole() | {"rows": {"real": "many", "validation": 0, "synthetic": 0}}).encode(),
        b"!!python/object/apply:os.system ['true']",
    ],
    ids=[
        "empty",
        "cut short",
        "not UTF-8",
        "deep",
        "fields missing",
        "unknown choice",
        "foreign field",
        "type",
        "YAML",
    ],
)
def test_a_file_that_is_no_report_is_refused_by_name(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "report.json"
    path.write_bytes(text)
    with pytest.raises(CheckpointError, match="report.json is not a fit report"):
        FitReport.read(path)


def test_a_folder_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="is not a fit report: Is a directory"):
        FitReport.read(tmp_path)


# ---- marginals


def test_marginals_are_the_shares_counted_by_hand() -> None:
    real = table(
        dose=[1, 1, 2, 4],
        colour=pd.Categorical(["red", "red", "blue", None], categories=["blue", "red"]),
    )
    rows = real.frame.iloc[[2, 3]].assign(
        colour=pd.Categorical(["red", "red"], categories=["blue", "red"])
    )
    dose, colour, target = marginals(real, real.with_frame(rows))
    assert (dose.labels, dose.real, dose.synthetic) == (
        [0.5, 1.5, 2.5, 3.5, 4.5],
        [0.5, 0.25, 0, 0.25],
        [0, 0.5, 0, 0.5],
    )
    assert (colour.labels, colour.real, colour.synthetic) == (
        ["red", "blue"],
        [0.5, 0.25],
        [1.0, 0.0],
    )
    assert (colour.missing, distance(colour)) == ((0.25, 0.0), 0.5)
    assert (target.kind, target.real) == ("categorical", [0.5, 0.5])


def test_one_outlier_leaves_the_other_values_their_bins() -> None:
    rng = np.random.default_rng(0)
    real = table(amount=np.append(rng.normal(size=400), 1e9))
    amount = marginals(real, real)[0]
    assert sum(share > 0.01 for share in amount.real) >= 12
    assert amount.labels[-1] == 1e9
    assert amount.real[-1] == pytest.approx(5 / 401)  # the outermost percent


def test_bins_of_whole_numbers_hold_equally_many_of_them() -> None:
    real = table(duration=list(range(4, 73)) * 3)  # 69 values, each as frequent as the next
    duration = marginals(real, real)[0]
    assert len(set(duration.real[1:-2])) == 1
    assert all(edge % 1 == 0.5 for edge in duration.labels if isinstance(edge, float))


def test_categories_beyond_the_most_frequent_are_pooled_and_counted() -> None:
    names = [f"level {i:02}" for i in range(20) for _ in range(20 - i)]
    pooled = marginals(table(name=names), table(name=names))[0]
    rest = sum(20 - i for i in range(MOST_BARS - 1, 20)) / len(names)
    assert (len(pooled.labels), pooled.labels[-1]) == (MOST_BARS, "11 others")
    assert pooled.real[-1] == pytest.approx(rest)


def test_ordered_categories_keep_their_order() -> None:
    grades = pd.Categorical(["b", "c", "c", "a"], categories=["c", "b", "a"], ordered=True)
    real = table(grade=grades)
    assert marginals(real, real)[0].labels == ["c", "b", "a"]


def test_edges_of_dates_are_dates() -> None:
    real = table(when=pd.date_range("2020-01-01", periods=100, freq="D"))
    when = marginals(real, real)[0]
    assert str(when.labels[0]).startswith("2020-01-01")
    assert str(when.labels[-1]).startswith("2020-04-09")


@settings(max_examples=60)
@given(
    arrays.arrays("float64", (12,), elements=st.floats(allow_infinity=False, allow_nan=True)),
    st.lists(st.integers(0, 11), min_size=1, max_size=12),
)
def test_shares_of_any_floats_add_up_to_one_and_a_table_equals_itself(
    values: npt.NDArray[Any], rows: list[int]
) -> None:
    real = table(value=values)
    for marginal in marginals(real, real.take(np.array(rows))):
        assert sum(marginal.real) + marginal.missing[0] == pytest.approx(1)
        assert sum(marginal.synthetic) + marginal.missing[1] == pytest.approx(1)
        assert len(marginal.real) <= BINS + 2
    assert all(distance(marginal) == 0 for marginal in marginals(real, real))


@settings(max_examples=40)
@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=2, max_size=30))
def test_shares_of_any_integers_add_up_to_one(values: list[int]) -> None:
    real = table(value=pd.array(values, dtype="Int64"))
    value = marginals(real, real)[0]
    assert sum(value.real) == pytest.approx(1)
    assert len(value.real) <= BINS + 2
    assert value.labels == sorted(value.labels)


# ---- pictures


def arrows(figure: Figure) -> dict[Edge, FancyArrowPatch]:
    found = {}
    for patch in figure.axes[0].patches:
        if isinstance(patch, FancyArrowPatch):
            cause, effect = re.findall(r"\d+", str(patch.get_gid()))
            found[int(cause), int(effect)] = patch
    return found


def centre(axes: Axes, name: str) -> float:
    """Return the horizontal position of the node with a name."""
    return next(float(text.get_position()[0]) for text in axes.texts if text.get_text() == name)


def test_the_graph_has_an_arrow_per_edge_and_the_wider_the_more_it_is_believed() -> None:
    beliefs = [[0, 0.9, 0.3, 0], [0, 0, 0.6, 0], [0.2, 0, 0, 0], [0.0, 0, 0, 0]]
    figure = draw_graph(["a", "b", "c", "alone"], beliefs, "c")
    drawn = arrows(figure)
    by_width = sorted(drawn, key=lambda edge: -drawn[edge].get_linewidth())
    assert by_width == [(0, 1), (1, 2), (0, 2), (2, 0)]
    darkness = [sum(to_rgb(drawn[edge].get_edgecolor()[:3])) for edge in [(1, 2), (0, 2), (2, 0)]]
    assert darkness == sorted(darkness)
    assert (
        figure.get_supxlabel()
        == "All 4 edges with a belief above zero are drawn. Columns without an edge here: alone."
    )


def test_arrows_point_from_cause_to_effect_and_causes_stand_left() -> None:
    figure = draw_graph(["a", "b", "c"], [[0, 1, 0], [0, 0, 1], [0.4, 0, 0]], None)
    axes = figure.axes[0]
    assert centre(axes, "a") < centre(axes, "b") < centre(axes, "c")
    for (cause, effect), arrow in arrows(figure).items():
        start, stop = arrow._path_original.vertices[[0, -1], 0]  # type: ignore[attr-defined]
        assert (start < stop) == ("abc"[cause] < "abc"[effect])


def test_the_target_alone_is_highlighted() -> None:
    figure = draw_graph(["a", "b"], [[0, 0], [0.7, 0]], "b")
    boxes = [patch for patch in figure.axes[0].patches if isinstance(patch, FancyBboxPatch)]
    filled = [box for box in boxes if to_rgb(box.get_facecolor()[:3]) == to_rgb(VERMILION)]
    assert len(filled) == 1
    assert filled[0].get_x() + filled[0].get_width() / 2 == pytest.approx(
        centre(figure.axes[0], "b")
    )


def test_a_crowded_graph_shows_the_most_believed_edges_and_says_how_many_are_left_out() -> None:
    rng = np.random.default_rng(0)
    beliefs = np.triu(rng.random((40, 40)), 1)
    figure = draw_graph([f"column {i}" for i in range(40)], beliefs.tolist(), "column 39")
    drawn = arrows(figure)
    ranked = np.sort(beliefs, axis=None)[::-1]
    assert sorted(beliefs[edge] for edge in drawn) == sorted(ranked[: len(drawn)])
    said = " ".join(figure.get_supxlabel().split())
    assert said.startswith(
        f"Drawn are the {len(drawn)} most believed of 780 edges; no other has a belief above"
    )
    assert f"{ranked[len(drawn)]:.2f}" in said


def test_edges_that_were_added_are_grey_and_the_note_ends_the_caption() -> None:
    beliefs = [[0.0, 0.9, 0.3], [0.0, 0.0, 0.6], [0.0, 0.0, 0.0]]
    figure = draw_graph(
        ["a", "b", "c"], beliefs, "c", added=[(0, 2)], note="Label check: held, at $2."
    )
    colors = {
        edge: np.ptp(to_rgb(arrow.get_edgecolor()[:3])) for edge, arrow in arrows(figure).items()
    }
    assert {edge for edge, color in colors.items() if color < 0.1} == {(0, 2)}
    assert figure.get_supxlabel().endswith("drawn. Label check: held, at $2.")
    assert "added, not found" in [text.get_text() for text in figure.legends[0].get_texts()]
    to_svg(figure)


@pytest.mark.parametrize("added", [3, [1], [(0, "x")], [(0, 1, 2)]])
def test_added_edges_that_are_no_pairs_are_refused(added: Any) -> None:
    with pytest.raises(GeneratorError, match="added edges must be pairs"):
        draw_graph(["a", "b"], [[0, 1], [0, 0]], None, added)


def test_a_graph_without_any_belief_says_so() -> None:
    figure = draw_graph(["a", "b", "c"], np.zeros((3, 3)).tolist(), "c")
    assert arrows(figure) == {}
    assert figure.get_supxlabel() == "No edge between the 3 columns has a belief above zero."
    to_svg(figure)


@pytest.mark.parametrize(
    "beliefs", [[[0.0]], [[0, 2.0], [0, 0]], [[0, float("nan")], [0, 0]], [["x", 0], [0, 0]], "no"]
)
def test_beliefs_that_are_no_probabilities_are_refused(beliefs: Any) -> None:
    with pytest.raises(GeneratorError, match="edge beliefs must be"):
        draw_graph(["a", "b"], beliefs, None)


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(st.integers(0, 11), st.integers(0, 11)).filter(lambda e: e[0] != e[1]),
        max_size=30,
        unique=True,
    )
)
def test_no_layout_puts_two_nodes_in_one_place_or_lets_an_edge_end_elsewhere(
    edges: list[Edge],
) -> None:
    layout = layered(range(12), edges)
    places = list(layout.places.values())
    assert all(
        first[0] != second[0] or abs(first[1] - second[1]) > 1 - 1e-9
        for i, first in enumerate(places)
        for second in places[:i]
    )
    assert {edge: (route[0], route[-1]) for edge, route in layout.routes.items()} == {
        edge: (layout.places[edge[0]], layout.places[edge[1]]) for edge in edges
    }
    assert all(layout.places[cause][0] != layout.places[effect][0] for cause, effect in edges)


def test_the_layout_untangles_what_can_be_drawn_without_crossings() -> None:
    layout = layered(range(6), [(0, 5), (1, 4), (2, 3)])
    causes = sorted((0, 1, 2), key=lambda node: layout.places[node][1])
    effects = sorted((3, 4, 5), key=lambda node: layout.places[node][1])
    assert [
        (cause, effect)
        for cause, effect in zip(causes, effects, strict=True)
        if cause + effect != 5
    ] == []


def lines(axes: Axes) -> dict[str, list[tuple[float, float]]]:
    points = {
        str(line.get_label()): np.column_stack(line.get_data()).tolist() for line in axes.lines
    }
    return {
        name: [(x, y) for x, y in line] for name, line in points.items() if not name.startswith("_")
    }


def markers(axes: Axes, size: float) -> list[tuple[float, float]]:
    found = [
        line for line in axes.lines if line.get_marker() == "o" and line.get_markersize() == size
    ]
    return [(x, y) for line in found for x, y in np.column_stack(line.get_data()).tolist()]


def test_the_curve_has_every_point_and_marks_the_pretrained_model_and_the_step_that_was_kept() -> (
    None
):
    axes = draw_curve(report()).axes[0]
    drawn = lines(axes)
    assert drawn["validation, kept: step 3, 0.498"] == [(0, 0.5121), (3, 0.4983), (6, 0.5376)]
    assert drawn["training (mean since the last point)"] == [(3, 0.6132), (6, 0.5954)]
    assert markers(axes, 6) == [(0, 0.5121)]
    assert markers(axes, 9) == [(3, 0.4983)]
    assert markers(draw_curve(report(kept="pretrained", kept_step=0)).axes[0], 9) == [(0, 0.5121)]


def test_a_fit_without_steps_has_a_curve_that_says_so() -> None:
    axes = draw_curve(report(curve=[], kept="pretrained", kept_step=0)).axes[0]
    assert [text.get_text() for text in axes.texts] == ["no step was taken"]


def test_arms_share_a_panel_only_where_they_start_from_the_same_loss() -> None:
    other = report(
        curve=[CurvePoint(step=s, train_loss=None, validation_loss=0.9 - 0.1 * s) for s in (0, 3)]
    )
    still = report(curve=[], kept="pretrained", kept_step=0)
    figure = draw_curves(
        {"plain": report(), "_mixed": report(), "elsewhere": other, "zero-shot": still}
    )
    panels = [list(lines(axes)) for axes in figure.axes]
    assert panels == [
        ["plain, kept: step 3, 0.498", " _mixed, kept: step 3, 0.498"],
        ["elsewhere, kept: step 3, 0.600"],
    ]
    assert figure.get_supxlabel() == "No validated step: zero-shot."


def test_marginals_are_drawn_as_they_are_with_the_most_different_first() -> None:
    figure = draw_marginals(report().marginals)
    age, ill = figure.axes
    assert (age.get_title("left"), age.get_title("right")) == ("age", "0.50")
    real, synthetic = [patch for patch in age.patches if isinstance(patch, StepPatch)]
    assert (list(real.get_data()[0]), list(synthetic.get_data()[0])) == ([0.5, 0.25], [0.125, 0.75])
    assert "missing 25% real, 12% synthetic" in [text.get_text() for text in age.texts]
    assert [bar.get_width() for bar in ill.patches] == [0.75, 0.25]  # type: ignore[attr-defined]
    assert [text.get_text() for text in ill.texts] == ["no ill", "yes"]


def test_columns_beyond_the_most_different_are_counted() -> None:
    many = [report(names=(f"column {i}", "ill")).marginals[0] for i in range(MOST_PANELS + 7)]
    figure = draw_marginals(many)
    assert len(figure.axes) == MOST_PANELS
    assert "The 7 columns that differ least are left out." in figure.get_supxlabel()


def test_the_comparison_shows_mean_and_standard_deviation_of_every_arm() -> None:
    losses = {"zero-shot": [0.30, 0.34, 0.29], "CausalMix": [0.27, 0.31, 0.29]}
    rows = [
        {"table": "wine", "split": split, "arm": arm, "log_loss": loss}
        for arm, scores in losses.items()
        for split, loss in enumerate(scores)
    ]
    axes = draw_arms(pd.DataFrame(rows)).axes[0]
    assert [place for _, place in markers(axes, 8)] == [0, 1]
    assert [mean for mean, _ in markers(axes, 8)] == pytest.approx(
        [np.mean(scores) for scores in losses.values()]
    )
    spreads = [bar.lines[2][0].get_segments()[0][:, 0] for bar in axes.containers]  # type: ignore[attr-defined]
    assert [np.ptp(spread) / 2 for spread in spreads] == pytest.approx(
        [np.std(x, ddof=1) for x in losses.values()]
    )


def test_any_name_is_drawn_and_gives_well_formed_svg() -> None:
    names = [HOSTILE, *NASTY]
    whole = report()
    columns = [whole.marginals[0].model_copy(update={"column": name}) for name in names]
    levels = whole.marginals[1].model_copy(
        update={"labels": names, "real": [0.1] * 9, "synthetic": [0.1] * 9}
    )
    arms = pd.DataFrame({"table": names[0], "split": 0, "arm": names, "log_loss": 0.5})
    pictures = [
        draw_graph(names, np.triu(np.ones((9, 9)), 1).tolist(), names[1]),
        draw_curves(dict.fromkeys(names, whole)),
        draw_marginals([*columns, levels]),
        draw_arms(arms),
    ]
    for figure in pictures:
        root = ET.fromstring(to_svg(figure))
        assert not [node for node in root.iter() if node.tag.endswith("script")]
        said = "".join(root.itertext())
        assert [name for name in names if label(name, 8).partition("…")[0] not in said] == []


def test_pictures_are_written_by_their_ending_and_the_same_twice(tmp_path: Path) -> None:
    for ending, start in ((".svg", b"<?xml"), (".png", b"\x89PNG")):
        for name in ("first", "second"):
            save(draw_curve(report()), tmp_path / f"{name}{ending}")
        first, second = [
            (tmp_path / f"{name}{ending}").read_bytes() for name in ("first", "second")
        ]
        assert first == second
        assert first.startswith(start)
    with pytest.raises(ConfigError, match=r"\.svg or \.png, got .*picture\.gif"):
        save(draw_curve(report()), tmp_path / "picture.gif")


def test_letters_that_the_font_lacks_are_text_in_svg_and_a_warning_for_png(tmp_path: Path) -> None:
    figure = draw_graph(["名", "ill"], [[0, 1], [0, 0]], "ill")
    assert ">名</text>" in to_svg(figure)
    with pytest.warns(UserWarning, match="missing from font"):
        save(figure, tmp_path / "graph.png")


def test_pictures_neither_import_pyplot_nor_change_settings_nor_obey_the_users() -> None:
    code = """
import sys, matplotlib
matplotlib.rcParams.update({"axes.facecolor": "black", "font.size": 33.0})
def settings():  # but for the backend: to look it up is to choose one, and to import pyplot
    return {name: matplotlib.rcParams[name] for name in matplotlib.rcParams if name != "backend"}
before = settings()
from autogluon_causalmix.report.pictures import draw_graph, to_svg
figure = draw_graph(["a", "b"], [[0, 1], [0, 0]], "b")
to_svg(figure)
assert settings() == before and before["font.size"] == 33
assert figure.get_facecolor() == (1.0, 1.0, 1.0, 1.0)
assert "matplotlib.pyplot" not in sys.modules
"""
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, timeout=120)


def test_importing_the_package_does_not_import_matplotlib() -> None:
    code = """
import autogluon_causalmix, autogluon_causalmix.fidelity.marginals, sys
print("matplotlib" in sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, timeout=120, capture_output=True, text=True
    )
    assert done.stdout.strip() == "False"


# ---- the page


class Page(HTMLParser):
    """Collects tags, what they point to, and the text of a page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.pointers: list[str] = []
        self.words: list[str] = []
        self.cells: list[str] = []
        self.raw = path.read_text(encoding="utf-8")
        self.feed(self.raw)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.pointers += [
            value or ""
            for name, value in attrs
            if name in {"src", "href", "srcset", "action", "data"}
        ]
        assert not [name for name, _ in attrs if name.startswith("on")]

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join("".join(self.words).split())

    @property
    def json(self) -> Any:
        return json.loads(next(words for words in self.words if words.startswith("{\n")))

    @property
    def svgs(self) -> list[str]:
        return [base64.b64decode(pointer.partition(",")[2]).decode() for pointer in self.pointers]


def write(path: Path, *args: Any, **kwargs: Any) -> Page:
    write_page(path / "report.html", *args, **kwargs)
    return Page(path / "report.html")


def test_the_verdict_comes_first_in_the_reports_own_words(tmp_path: Path) -> None:
    still = report(kept="pretrained", kept_step=0, reason="fine-tuning is switched off")
    page = write(tmp_path, {"CausalMix": report(), "zero-shot": still}, title="wine")
    tuned = "validation log-loss 0.5121 before and 0.4983 after fine-tuning"
    kept = f"CausalMix kept the fine-tuned weights: {tuned}."
    body = page.text.rpartition("} wine ")[2] or page.text
    assert body.startswith(
        f"{kept} zero-shot kept the pretrained weights: fine-tuning is switched off."
    )


def test_every_note_and_number_of_the_report_is_on_the_page(tmp_path: Path) -> None:
    written = report()
    page = write(tmp_path, {"CausalMix": written}, title="wine")
    readable = page.text.partition("The whole report as JSON")[0]
    expected = [
        "161",
        "41",
        "323",
        "1.483",
        "13.687",
        "633,994",
        "ab" * 32,
        "Apache-2.0",
        "mini.safetensors",
        "4711",
    ]
    expected += [
        "0.7113",
        "0.7329",
        "0.6132",
        "0.5954",
        "0.5376",
        "0.00031",
        "2.125",
        "query",
        "2.13.0",
        "9.8.7",
        "11",
    ]
    expected += ["some-distribution", "17", "19", "0.5000", "0.1250", "step 3", *written.notes]
    assert [fact for fact in expected if fact not in readable] == []
    assert FitReport.model_validate(page.json) == written
    assert len(page.svgs) == 3


def test_the_page_loads_nothing_and_runs_nothing(tmp_path: Path) -> None:
    page = write(
        tmp_path, {"a": report(), "b": report()}, title="wine", pictures=[draw_curve(report())]
    )
    assert {pointer.partition(",")[0] for pointer in page.pointers} == {"data:image/svg+xml;base64"}
    assert not {"script", "link", "iframe", "object", "embed", "base", "form"} & set(page.tags)
    assert not re.findall(r"url\(|@import|https?:", page.raw.partition("<body>")[0])
    assert "default-src 'none'" in page.raw
    for svg in page.svgs:
        links = re.findall(r'(?:href|src)="([^"]*)"|url\(([^)]*)\)', svg)
        assert all((first or second).startswith("#") for first, second in links)


def test_hostile_names_stay_text(tmp_path: Path) -> None:
    hard = report(
        names=(HOSTILE, '"><img src=x onerror=alert(1)>'), notes=[HOSTILE], reason=HOSTILE
    )
    frame = pd.DataFrame({HOSTILE: [HOSTILE]})
    page = write(
        tmp_path,
        {HOSTILE: hard, "b": hard},
        title=HOSTILE,
        leaderboard=frame,
        pictures=[draw_curve(hard)],
    )
    assert "script" not in page.tags
    assert {pointer[:10] for pointer in page.pointers} == {"data:image"}
    assert page.text.count(HOSTILE) > 10
    assert not any("<script" in svg for svg in page.svgs)


def test_a_page_can_be_written_of_any_names(tmp_path: Path) -> None:
    whole = report()
    columns = [whole.marginals[0].model_copy(update={"column": name}) for name in NASTY]
    page = write(
        tmp_path, {" ".join(NASTY): report(marginals=columns, notes=NASTY)}, title=" ".join(NASTY)
    )
    assert [marginal["column"] for marginal in page.json["marginals"]] == NASTY
    assert page.json["notes"] == NASTY


def test_the_leaderboard_shows_every_cell_with_equal_decimals_in_a_column(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "arm": ["zero-shot", "CausalMix"],
            "log_loss": [0.51234, None],
            "fit seconds": [0.123, 34.56],
            "rows": [250, 1250],
        }
    )
    page = write(tmp_path, {"CausalMix": report()}, title="wine", leaderboard=frame)
    said = (
        "Leaderboard arm log loss fit seconds rows zero-shot 0.5123 0.1 250 CausalMix – 34.6 1,250"
    )
    words = " ".join(page.text.replace("Leaderboard", "\nLeaderboard ").partition("\n")[2].split())
    assert re.sub(r"\W", "", words).startswith(re.sub(r"\W", "", said))


def test_a_malformed_graph_of_a_plugin_is_a_note_and_the_page_goes_on(tmp_path: Path) -> None:
    facts = report().generator
    assert facts is not None
    broken = facts.model_copy(
        update={"description": {"graph": {"nodes": ["a"], "probability": [[0, 1]]}}}
    )
    page = write(tmp_path, {"CausalMix": report(generator=broken)}, title="wine")
    assert (
        "no picture of the graph: edge beliefs must be a matrix with a row and a column per node"
        in page.text
    )
    assert len(page.svgs) == 2


OWN_FORMATS: list[Any] = [
    {"edges": [["a", "b"]]},
    {"nodes": ["a", "b"]},
    {"probability": [[0, 1], [0, 0]]},
    {"nodes": ["a", 2], "probability": [[0, 1], [0, 0]]},
    {"nodes": "ab", "probability": [[0, 1], [0, 0]]},
    {"nodes": ["a", "b"], "probability": [[0, 1], [0]]},
    {"nodes": ["a", "b"], "probability": [0, 1, 0, 0]},
    {"nodes": ["a", "b"], "probability": [["0", "1"], ["0", "0"]]},
    {"nodes": ["a", "b"], "probability": {"a": "b"}},
    [["a", "b"]],
    {},
]


@pytest.mark.parametrize("graph", OWN_FORMATS)
def test_a_graph_in_a_plugins_own_format_is_a_note_on_the_page(graph: Any, tmp_path: Path) -> None:
    facts = report().generator
    assert facts is not None
    described = facts.model_copy(update={"description": {"graph": graph}})
    page = write(tmp_path, {"CausalMix": report(generator=described)}, title="wine")
    assert "no picture of the graph: " in page.text
    assert len(page.svgs) == 2
    for reader in (edge_lines, lambda found: draw_described(found, None)):
        with pytest.raises(GeneratorError, match="describes a graph|edge beliefs must be"):
            reader(graph)


def test_a_report_of_a_fit_without_anything_gives_a_page(tmp_path: Path) -> None:
    bare = report(
        generator=None, curve=[], pretrained=None, tuned=None, kept="pretrained", kept_step=0,
        marginals=[], notes=[], rows=RowCounts(real=2, validation=0, synthetic=0),
        reason="2 rows are too few",
    )  # fmt: skip
    page = write(tmp_path, {"CausalMix": bare}, title="tiny")
    assert "None: nothing fell back, nothing was left out." in page.text
    assert page.svgs == []


# ---- names, as they are written

AS_WRITTEN = {
    "<b>bold</b>": "<b>bold</b>",
    "a &amp; b": "a &amp; b",
    "weight [kg]": "weight [kg]",
    "$x$": "$x$",
    r"\$5 to \$6": r"\$5 to \$6",
    "_id": "_id",
    "two\nlines": r"two\nlines",
    "tab\tbell\x07": r"tab\tbell\x07",
    "a  b": "a  b",
    "50\N{NO-BREAK SPACE}%": "50 %",
    "名前": "名前",
    "نام\N{ZERO WIDTH NON-JOINER}ها": "نام\N{ZERO WIDTH NON-JOINER}ها",
    "\N{RIGHT-TO-LEFT OVERRIDE}left": r"\u202eleft",
}


def texts(figure: Figure) -> list[str]:
    """Return the texts in the SVG of a picture."""
    root = ET.fromstring(to_svg(figure))
    return ["".join(node.itertext()) for node in root.iter() if node.tag.endswith("}text")]


@pytest.mark.parametrize(("name", "shown"), AS_WRITTEN.items())
def test_a_name_is_shown_as_it_is_written(name: str, shown: str, tmp_path: Path) -> None:
    whole = report(names=(name, "ill"))
    levels = whole.marginals[1].model_copy(update={"labels": [name, "yes"]})
    curves = texts(draw_curves({name: report(), f"{name} 2": report()}))
    arms = pd.DataFrame({"table": "wine", "split": 0, "arm": [name], "log_loss": 0.5})
    assert shown in texts(draw_graph([name, "ill"], [[0, 1], [0, 0]], "ill"))
    assert [shown, shown] == [
        text for text in texts(draw_marginals([*whole.marginals, levels])) if text == shown
    ]
    assert f"{shown}, kept: step 3, 0.498" in [text.removeprefix(" ") for text in curves]
    assert shown in texts(draw_arms(arms))
    alone = draw_graph([name, "age", "ill"], [[0, 0, 0], [0, 0, 1], [0, 0, 0]], "ill")
    assert f"here: {shown}." in alone.get_supxlabel()
    page = write(tmp_path, {"CausalMix": whole}, title=name)
    assert page.words.count(shown) >= 4  # twice as a title, among the distances, as a parent


def test_long_names_that_differ_at_their_end_are_told_apart() -> None:
    names = [f"concentration of the substance in the {organ}" for organ in ("liver", "kidney")]
    columns = [report(names=(name, "ill")).marginals[0] for name in names]
    levels = report().marginals[1].model_copy(update={"labels": names})
    for figure in (
        draw_graph(names, [[0, 1], [0, 0]], None),
        draw_marginals(columns),
        draw_marginals([levels]),
        draw_curves(dict.fromkeys(names, report())),
    ):
        long = [text for text in texts(figure) if text.strip().startswith("conc")]
        assert len(long) == len({*long}) == 2
        assert all("…" in text for text in long)


WIDE = ["W" * 60, "名" * 60, "@" * 60, "i" * 60]


@pytest.mark.parametrize("name", WIDE)
def test_wide_letters_stay_inside_of_their_box(name: str) -> None:
    axes = draw_graph([name, "ill"], [[0, 1], [0, 0]], "ill").axes[0]
    (text,) = [text for text in axes.texts if text.get_text() != "ill"]
    boxes = [patch for patch in axes.patches if isinstance(patch, FancyBboxPatch)]
    assert width(text) < 72 * min(box.get_width() for box in boxes)


@pytest.mark.parametrize("name", WIDE)
def test_wide_letters_stay_inside_of_their_panel(name: str) -> None:
    numbers, levels = report(names=(name, "ill")).marginals
    levels = levels.model_copy(update={"labels": [name, "yes"], "column": name})
    figure = draw_marginals([numbers, levels])
    to_svg(figure)  # which lays the panels out
    for axes in figure.axes:
        panel = 72 * axes.get_position().width * figure.get_figwidth()
        assert width(axes._left_title) + width(axes._right_title) < panel  # type: ignore[attr-defined]
        assert [text for text in axes.texts if width(text) > panel] == []


def width(text: Text) -> float:
    """Return the width of a text in points; East Asian letters are square."""
    size = float(text.get_fontsize())
    font = FontProperties(size=size, weight=text.get_fontweight())
    measured = text_to_path.get_text_width_height_descent(
        text.get_text().replace("名", ""), font, False
    )
    return float(measured[0]) + text.get_text().count("名") * size


def test_a_caption_of_wide_letters_stays_inside_of_the_picture() -> None:
    names = ["名" * 22] * 9
    figure = draw_graph(names, np.zeros((9, 9)).tolist(), None, note="名 " * 100)
    caption = figure.get_supxlabel().splitlines()
    assert max(9 * line.count("名") for line in caption) < 72 * figure.get_figwidth()


def test_open_directions_and_arrows_from_the_target_are_said_of_likely_edges_alone() -> None:
    beliefs = np.zeros((4, 4))
    beliefs[0, 1], beliefs[1, 0] = 0.45, 0.55  # found, direction open
    beliefs[2, 3], beliefs[3, 2] = 0.9, 0.1  # from the target
    beliefs[0, 3], beliefs[3, 0] = 0.15, 0.15  # hardly found
    lines = edge_lines({"nodes": ["a", "b", "ill", "c"], "probability": beliefs.tolist()})
    assert [(line.cause, line.effect) for line in lines] == [("ill", "c"), ("b", "a"), ("a", "c")]
    _, undecided, caused = cautions(lines, "ill")
    assert "b – a." in undecided
    assert "a – c" not in undecided
    assert caused.startswith("Arrows from the target 'ill' (to c) are beliefs")
    assert len(cautions(lines, "a")) == 2
