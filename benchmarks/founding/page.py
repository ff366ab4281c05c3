"""``docs/founding-question.md`` from cells: one table, one figure, a claim, its limits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from benchmarks.founding import claims, ranks, regressions, within
from benchmarks.founding.cells import METRIC, metrics_of
from benchmarks.founding.forecast import Forecast, forecast
from benchmarks.founding.gains import OUTCOME, finished, of_arms, on_other_weights
from benchmarks.founding.growth import by_dose_and_rows, levels_of
from benchmarks.founding.texts import (
    ABOUT_CLAIMS,
    ABOUT_FORECAST,
    CEILING_ARM,
    COMMANDS,
    FAULTS_ONLY,
    HOW_CORRELATED,
    INTRODUCTION,
    KNOWS_SOMETHING,
    NO_SKILL,
)

NOVELTY = f"{METRIC}authenticity"
OF_COPIES = ("closest-record", "nearest-neighbour", "privacy-loss", "duplicates", "authenticity")
"""Metrics that ask whether rows are copies of those that the generator has seen."""

FEWEST_TABLES = 12
"""Below, the page makes no claim: an interval over so few tables is a guess itself."""

TITLE = "# Fidelity and the gain of fine-tuning"


@dataclass(frozen=True)
class Answer:
    """Everything that the page shows.

    Attributes
    ----------
    cells : pandas.DataFrame
        All cells, failed ones included.
    planned : int
        Cells of the whole study.
    found : list of Pooled
        Correlations, the strongest first.
    ceiling : float or None
        What noise leaves.
    order : Ranks or None
        Of arms; None where there are too few tables.
    others : pandas.DataFrame
        Cells of other arms and other weights, which take no part in the correlations.
    varied : pandas.DataFrame
        Cells with other training rows or doses, which take no part in them either.
    """

    cells: pd.DataFrame
    planned: int
    found: list[within.Pooled]
    ceiling: float | None
    order: ranks.Ranks | None
    others: pd.DataFrame
    varied: pd.DataFrame

    @classmethod
    def of(
        cls,
        cells: pd.DataFrame,
        planned: int,
        others: pd.DataFrame | None = None,
        varied: pd.DataFrame | None = None,
        draws: int = 2000,
    ) -> Answer:
        """Analyse finished cells; a metric without a value on two tables has no row."""
        done = finished(cells)
        found = within.pooled(
            done, metrics_of(cells), OUTCOME, NOVELTY, np.random.default_rng(0), draws
        )
        there = [own for own in found if not np.isnan(own.correlation)]
        gains = done.pivot_table(index="table", columns="arm", values=OUTCOME)
        enough = gains.dropna().shape[0] >= 2 and gains.shape[1] >= 3
        return cls(
            cells,
            planned,
            sorted(there, key=lambda own: -abs(own.correlation)),
            within.ceiling(done, OUTCOME),
            ranks.average_ranks(gains) if enough else None,
            cells[:0] if others is None else others,
            cells[:0] if varied is None else varied,
        )

    @property
    def tables(self) -> int:
        """Tables on which arms were compared."""
        return max((own.tables for own in self.found), default=0)


def page(answer: Answer) -> str:
    """Return the page as Markdown."""
    parts = [TITLE, INTRODUCTION, state(answer), *claim(answer), *correlations(answer)]
    backbones = answer.cells["backbone"].unique()
    is_other = ~answer.others["backbone"].isin(backbones)
    parts += [*of_arms(answer.cells), *on_other_weights(answer.others[is_other])]
    parts += by_dose_and_rows(answer.cells, answer.varied)
    parts += foretold(answer.cells)
    parts += published(answer.cells, answer.others[~is_other])
    parts += [*limits(answer), *remake()]
    return "\n\n".join(part for part in parts if part) + "\n"


def state(answer: Answer) -> str:
    """Return how much of the study is done, and what failed."""
    cells = answer.cells
    failed = int((cells["error"] != "").sum())
    counted = (
        f"{len(cells)} of {answer.planned} cells: {cells['table'].nunique()} tables, "
        f"{cells['arm'].nunique()} arms, {cells['split'].nunique()} splits, "
        f"{cells['seed'].nunique()} seeds; {failed} failed."
    )
    whole = len(cells) >= answer.planned
    return counted if whole else f"**Partial**: {counted} Numbers below can still change."


def claim(answer: Answer) -> list[str]:
    """Return the answer in two sentences."""
    if answer.tables < FEWEST_TABLES:
        said = (
            f"No answer yet: arms were compared on {answer.tables} tables, and the study makes no "
            f"claim on fewer than {FEWEST_TABLES}. What follows shows how the answer will be given."
        )
        return ["## The answer", said]
    sure = [own for own in answer.found if own.p_holm < 0.05]
    best = answer.found[0]
    strongest = (
        f"`{named(best)}` does most ({best.correlation:+.2f}, from {best.low:+.2f} to "
        f"{best.high:+.2f})"
    )
    bound = "" if answer.ceiling is None else f", where noise leaves {answer.ceiling:.2f} at most"
    go = "goes" if len(sure) == 1 else "go"
    said = (
        f"Of {len(answer.found)} metrics, {len(sure)} {go} with the gain beyond chance; "
        f"{strongest}{bound}. "
    )
    return ["## The answer", said + copies(answer.found) + unseen(answer.cells)]


def copies(found: list[within.Pooled]) -> str:
    """Return how metrics of copying and all others go with the gain, on average."""
    kinds: dict[bool, list[float]] = {True: [], False: []}
    for own in found:
        kinds[named(own) in OF_COPIES].append(own.correlation)
    if not all(kinds.values()):
        return ""
    return (
        f"Those that ask whether rows are copies ({', '.join(OF_COPIES)}) go with it by "
        f"{np.mean(kinds[True]):+.2f} on average, all others by {np.mean(kinds[False]):+.2f}. "
    )


def unseen(cells: pd.DataFrame) -> str:
    """Return what real rows in place of synthetic ones gain: the most that fidelity can give."""
    gains = cells.pivot_table(index="table", columns="arm", values=OUTCOME)
    wanted = ["unseen real rows", "bootstrap", "scm"]
    if not set(wanted) <= set(gains):
        return ""
    means = gains[wanted].dropna().mean()
    return (
        f"Unseen real rows in their place gain {means['unseen real rows']:+.3f} log-loss, the "
        f"causal generator's {means['scm']:+.3f}, the same real rows drawn again "
        f"{means['bootstrap']:+.3f}."
    )


def correlations(answer: Answer) -> list[str]:
    """Return the table and the figure."""
    if not answer.found:
        return []
    lines = [
        "| metric | ρ | 95 % | p, Holm | ρ without novelty | slope ± error | turn, p |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    done = finished(answer.cells)
    lines += [
        f"| `{named(own)}` | {own.correlation:+.2f} | {own.low:+.2f} to {own.high:+.2f} "
        f"| {own.p_holm:.3f} | {number(own.partial)} | {slope(done, own.metric)} "
        f"| {turn(done, own.metric)} |"
        for own in answer.found
    ]
    bound = (
        "cannot be said: no arm was run twice"
        if answer.ceiling is None
        else f"{answer.ceiling:.2f}, from repeated runs"
    )
    return [
        "## Fidelity and gain",
        HOW_CORRELATED + f"{bound}.",
        "\n".join(lines),
        "![Correlations and ranks](images/founding-question.png)",
    ]


def slope(cells: pd.DataFrame, metric: str) -> str:
    """Return the slope of the mixed-effects model, or that there is none."""
    try:
        effect = regressions.mixed_effect(cells, metric, OUTCOME)
    except (ValueError, np.linalg.LinAlgError):
        return "–"
    return f"{effect.slope:+.4f} ± {effect.error:.4f}" + ("*" if effect.warning else "")


def turn(cells: pd.DataFrame, metric: str) -> str:
    """Return the p of the test for a turn, and its direction."""
    found = regressions.u_shape(cells, metric, OUTCOME)
    return "–" if found is None else f"{found.p:.2f} {'∩' if found.inverted else '∪'}"


def foretold(cells: pd.DataFrame) -> list[str]:
    """Return whether the gain of causal rows can be told before fine-tuning."""
    found = forecast(cells, OUTCOME)
    return [] if found is None else ["## A forecast", ABOUT_FORECAST, judged(found)]


def judged(found: Forecast) -> str:
    """Return the skill of the forecast, and what follows from it."""
    said = (
        f"Causal rows gain more than real rows alone in {found.share:.0%} of {found.runs} runs on "
        f"{found.tables} tables. The skill of the forecast is {found.skill:+.2f}, from "
        f"{found.low:+.2f} to {found.high:+.2f}: "
    )
    return said + (KNOWS_SOMETHING if found.low > 0 else NO_SKILL)


def published(cells: pd.DataFrame, rivals: pd.DataFrame) -> list[str]:
    """Return the published claims beside the cells."""
    lines = [
        "| claim | the paper | here | holds |",
        "|---|---|---|---|",
        *(
            f"| {own.said} | {own.paper} | {own.ours or '–'} | {own.holds} |"
            for own in claims.claims(finished(cells), finished(rivals))
        ),
    ]
    return [
        "## The published claims",
        ABOUT_CLAIMS,
        "\n".join(lines),
    ]


def limits(answer: Answer) -> list[str]:
    """Return what the cells cannot say."""
    both = pd.concat([answer.cells, answer.varied])
    rows, doses = (levels_of(both, factor) for factor in ("rows", "dose"))
    said = [
        "- The correlations are of one backbone of 634,000 parameters.",
        f"- Training and validation rows together: {rows}.",
        f"- Synthetic rows per real row: {doses}.",
        FAULTS_ONLY,
        CEILING_ARM,
    ]
    return ["## Limits", "\n".join(said)]


def remake() -> list[str]:
    """Return how to remake the page."""
    return [
        "## Make it again",
        COMMANDS,
        (
            "The first command resumes where it was stopped; the second packs the cells into the "
            "published file; the last makes this page from that file. [How to run studies]"
            "(../benchmarks/README.md) says more."
        ),
    ]


def named(own: within.Pooled) -> str:
    """Return the name of a metric."""
    return own.metric.removeprefix(METRIC)


def number(value: float) -> str:
    """Return a correlation, or a dash where there is none."""
    return "–" if np.isnan(value) else f"{value:+.2f}"
