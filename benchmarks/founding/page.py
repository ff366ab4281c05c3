"""``docs/founding-question.md`` from cells: one table, one figure, a claim, its limits."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from benchmarks.founding import claims, ranks, regressions, within
from benchmarks.founding.answer import Answer
from benchmarks.founding.cells import METRIC
from benchmarks.founding.forecast import Forecast, forecast
from benchmarks.founding.gains import (
    OUTCOME,
    finished,
    of_arms,
    of_rivals,
    on_other_weights,
    over_tables,
)
from benchmarks.founding.growth import by_dose_and_rows, levels_of
from benchmarks.founding.ladder import by_fault
from benchmarks.founding.measures import other_measures
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

OF_COPIES = ("closest-record", "privacy-loss", "duplicates", "authenticity")
"""Metrics that ask whether rows are copies of those that the generator has seen."""

FEWEST_TABLES = 12
"""Below, the page makes no claim: an interval over so few tables is a guess itself."""

TITLE = "# Fidelity and the gain of fine-tuning"


def page(answer: Answer) -> str:
    """Return the page as Markdown."""
    parts = [TITLE, INTRODUCTION, state(answer), *claim(answer), *correlations(answer)]
    backbones = answer.cells["backbone"].unique()
    is_other = ~answer.others["backbone"].isin(backbones)
    parts += [*of_arms(answer.cells), *other_measures(answer.cells), *more_faults(answer)]
    parts += of_rivals(answer.cells, answer.others[~is_other])
    parts += on_other_weights(answer.others[is_other])
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
    bound = "" if answer.ceiling is None else f", where noise leaves {answer.ceiling:.2f} at most"
    first = strongest(answer.found)
    said = f"{first[0].upper()}{first[1:]}{bound}. {copies(answer)}{unseen(answer.cells)}"
    return ["## The answer", said]


def beyond_chance(found: list[within.Pooled]) -> list[within.Pooled]:
    """Return the metrics that go with the gain whatever arms and whatever tables were drawn."""
    return [own for own in found if own.p_holm < 0.05 and own.low * own.high > 0]


def strongest(found: list[within.Pooled]) -> str:
    """Return how many metrics go with the gain, and which does most."""
    sure, best = len(beyond_chance(found)), found[0]
    return (
        f"of {len(found)} metrics, {sure} {'goes' if sure == 1 else 'go'} with the gain beyond "
        f"chance; `{named(best)}` does most ({best.correlation:+.2f}, from {best.low:+.2f} to "
        f"{best.high:+.2f})"
    )


def copies(answer: Answer) -> str:
    """Return how metrics of copying and all others go with the gain, on average."""
    means = halves({own.metric: own.correlation for own in answer.found})
    if np.isnan(means).any():
        return ""
    said = (
        f"Those that ask whether rows are copies ({', '.join(OF_COPIES)}) go with it by "
        f"{means[0]:+.2f} on average, all others by {means[1]:+.2f}"
    )
    alone = halves(answer.generators)
    if not np.isnan(alone).any():
        said += f"; over generators, without unseen rows, {alone[0]:+.2f} and {alone[1]:+.2f}"
    return f"{said}. "


def halves(found: Mapping[str, float]) -> tuple[float, float]:
    """Return the mean correlation of metrics of copying, and of all others; nan for none."""
    own = pd.Series(found, dtype="float64")
    is_of_copies = own.index.str.removeprefix(METRIC).isin(OF_COPIES)
    return float(own[is_of_copies].mean()), float(own[~is_of_copies].mean())


def unseen(cells: pd.DataFrame) -> str:
    """Return what real rows in place of synthetic ones gain: the most that fidelity can give."""
    gains = cells.pivot_table(index="table", columns="arm", values=OUTCOME)
    wanted = ["unseen real rows", "bootstrap", "scm"]
    if not set(wanted) <= set(gains):
        return ""
    means = gains[wanted].dropna().mean()
    said = (
        f"Unseen real rows in their place gain {means['unseen real rows']:+.3f} log-loss, the "
        f"causal generator's {means['scm']:+.3f}, the same real rows drawn again "
        f"{means['bootstrap']:+.3f}."
    )
    if "columns independent" in gains:
        said += (
            " Rows without any relation between columns, labels included, gain "
            f"{gains['columns independent'].mean():+.3f}: beside them, causal rows differ by "
            f"{over_tables((gains['scm'] - gains['columns independent']).dropna().to_numpy())}."
        )
    return said


def correlations(answer: Answer) -> list[str]:
    """Return the table and the figure."""
    if not answer.found:
        return []
    lines = [
        "| metric | ρ | 95 % | p, Holm | generators | without novelty | slope ± error | turn, p |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    done, everything = finished(answer.cells), finished(pd.concat([answer.cells, answer.varied]))
    effects = {own.metric: effect_of(everything, own.metric) for own in answer.found}
    lines += [
        f"| `{named(own)}` | {own.correlation:+.2f} | {own.low:+.2f} to {own.high:+.2f} "
        f"| {own.p_holm:.3f} | {number(answer.generators.get(own.metric, np.nan))} "
        f"| {number(own.partial)} | {slope(effects[own.metric])} "
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
        apart(effects[answer.found[0].metric], named(answer.found[0])),
        "![Correlations and ranks](images/founding-question.png)",
    ]


def effect_of(cells: pd.DataFrame, metric: str) -> regressions.MixedEffect | None:
    """Return what the mixed-effects model says of a metric; None where it cannot be fitted."""
    try:
        return regressions.mixed_effect(cells, metric, OUTCOME)
    except (ValueError, np.linalg.LinAlgError):
        return None


def slope(effect: regressions.MixedEffect | None) -> str:
    """Return the slope of the mixed-effects model, or that there is none."""
    if effect is None:
        return "–"
    return f"{effect.slope:+.4f} ± {effect.error:.4f}" + ("*" if effect.warning else "")


def apart(effect: regressions.MixedEffect | None, name: str) -> str:
    """Return how far domains lie apart beside a metric, tables within one, and arms."""
    if effect is None:
        return ""
    return (
        f"Domains differ by {effect.domains:.3f} log-loss gained (the standard deviation of their "
        f"intercepts beside `{name}`), tables of one domain by {effect.tables:.3f}, arms by "
        f"{effect.arms:.3f}."
    )


def turn(cells: pd.DataFrame, metric: str) -> str:
    """Return the p of the test for a turn, and its direction."""
    found = regressions.u_shape(cells, metric, OUTCOME)
    return "–" if found is None else f"{found.p:.2f} {'∩' if found.inverted else '∪'}"


def more_faults(answer: Answer) -> list[str]:
    """Return the section on every fault of the causal generator, if more were planted."""
    found = answer.among_faults
    if not found:
        return []
    gains = answer.ladder.pivot_table(index="table", columns="arm", values=OUTCOME)
    p = ranks.average_ranks(gains).p
    said = f"The gains of these arms differ with p = {p:.2f} (Friedman): "
    said += (
        f"{strongest(found)}."
        if p < 0.05
        else "they cannot be told apart, so no metric can be said to go with them or not."
    )
    return ["## Every fault of the causal generator", *by_fault(answer.ladder), said]


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
