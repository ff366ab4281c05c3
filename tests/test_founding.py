"""The analysis of the founding question on simulated cells whose truth is known."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from study_cases import STUDY, outcomes, write_table

from benchmarks.founding import claims, growth, ladder, measures, page, ranks, regressions, within
from benchmarks.founding.answer import NOVELTY, Answer, strongest_first
from benchmarks.founding.cells import GAINS, METRIC, pack, unpack
from benchmarks.founding.forecast import forecast
from benchmarks.study.store import Store

ARMS = 12
GOOD, NOISE, COPY = (f"{METRIC}{name}" for name in ("good", "noise", "novelty"))


def simulated(
    seed: int = 0,
    tables: int = 15,
    slope: float = 1.0,
    noise: float = 0.5,
    seeds: int = 2,
    curve: float = 0.0,
) -> pd.DataFrame:
    """Return cells in which one metric moves the gain within tables, and against it between them.

    Arms have a quality that all tables share. Tables in which all metrics are high gain the least.
    """
    rng = np.random.default_rng(seed)
    quality = rng.normal(size=ARMS)
    rows = []
    for table in range(tables):
        level = rng.normal() * 5
        own = quality + 0.5 * rng.normal(size=ARMS)
        blind = rng.normal(size=ARMS)
        for repeat in range(seeds):
            gain = slope * own - curve * own**2 - level + noise * rng.normal(size=ARMS)
            rows += [
                {
                    "table": f"t{table}", "domain": f"d{table % 4}", "arm": f"a{arm}", "split": 0,
                    "backbone": "mini", "seed": repeat, "rows": 100, "dose": 2.0,
                    "columns": 5 + table,
                    "categorical_share": (table % 3) / 3, "base_auc": 0.7 + 0.01 * table,
                    "gain": gain[arm], GOOD: own[arm] + level, NOISE: blind[arm],
                    COPY: own[arm] + 0.1 * rng.normal(),
                }
                for arm in range(ARMS)
            ]  # fmt: skip
    return pd.DataFrame(rows)


def pooled(cells: pd.DataFrame, draws: int = 400) -> dict[str, within.Pooled]:
    rng = np.random.default_rng(0)
    metrics = [str(name) for name in cells if str(name).startswith(METRIC)]
    return {own.metric: own for own in within.pooled(cells, metrics, "gain", COPY, rng, draws)}


def test_a_planted_correlation_within_tables_is_found_though_the_one_over_all_is_reversed() -> None:
    cells = simulated()
    assert stats.spearmanr(cells[GOOD], cells["gain"]).statistic < -0.5
    found = pooled(cells)
    assert found[GOOD].correlation > 0.8
    assert found[GOOD].low < found[GOOD].correlation < found[GOOD].high
    assert found[GOOD].p_holm < 0.05
    assert abs(found[NOISE].correlation) < 0.15
    assert found[NOISE].p > 0.05
    assert (found[GOOD].tables, found[GOOD].arms) == (15, ARMS)


def test_the_correlation_of_tables_is_scipys_and_gaps_take_no_part() -> None:
    cells = simulated(tables=3, seeds=1)
    cells.loc[cells["table"] == "t2", GOOD] = np.nan  # no value on a table: it is left out
    cells.loc[(cells["table"] == "t1") & (cells["arm"] == "a5"), GOOD] = np.nan
    found = pooled(cells)[GOOD]
    assert (found.tables, found.arms) == (2, ARMS - 1)
    own = cells[cells["arm"] != "a5"].groupby("table")
    each = [
        stats.spearmanr(own.get_group(t)[GOOD], own.get_group(t)["gain"])[0] for t in ("t0", "t1")
    ]
    assert found.correlation == pytest.approx(np.tanh(np.arctanh(each).mean()))


def test_where_nothing_is_planted_the_permutation_null_rejects_as_often_as_it_says() -> None:
    """Arms share a quality in all tables: a null that permutes within tables rejects far more."""
    p = [
        pooled(simulated(seed, tables=6, slope=0.0, noise=1.0, seeds=1), draws=99)[GOOD].p
        for seed in range(50)
    ]
    assert np.mean(np.array(p) <= 0.1) < 0.22
    assert np.mean(p) == pytest.approx(0.5, abs=0.15)


def test_a_quality_of_arms_in_all_tables_is_one_observation_per_arm() -> None:
    """The gain follows another quality of the arms than the metric: no evidence for the metric."""
    rejected = []
    for seed in range(40):
        cells = simulated(seed, tables=8, slope=0.0, noise=0.1, seeds=1)
        other = np.random.default_rng(1000 + seed).normal(size=ARMS)
        cells["gain"] += other[cells["arm"].str[1:].astype(int)]
        rejected.append(pooled(cells, draws=99)[GOOD].p <= 0.05)
    assert np.mean(rejected) <= 0.15


def test_novelty_explains_a_correlation_away_where_it_is_its_cause() -> None:
    cells = simulated(noise=0.3)
    found = pooled(cells)[GOOD]
    assert found.correlation > 0.8
    assert abs(found.partial) < 0.4 < found.correlation
    assert np.isnan(pooled(cells)[COPY].partial)
    rng = np.random.default_rng(3)
    cells[COPY] = rng.normal(size=len(cells))
    assert pooled(cells)[GOOD].partial > 0.75


def test_an_arm_that_failed_somewhere_does_not_get_the_easier_sample() -> None:
    cells = simulated(tables=2, seeds=2)
    hard = (cells["seed"] == 1) & (cells["table"] == "t0")
    cells.loc[hard, "gain"] -= 100
    cells.loc[hard & (cells["arm"] == "a3"), "gain"] = np.nan
    means = within.by_arm(cells, ["gain"])["gain"]
    assert means["t0"].min() > -50
    assert (
        means["t0"]["a3"]
        == cells.query("table == 't0' and seed == 0 and arm == 'a3'")["gain"].item()
    )


def test_holm_agrees_with_statsmodels() -> None:
    from statsmodels.stats.multitest import multipletests

    p = np.random.default_rng(0).random(9) ** 3
    assert within.holm(list(p)) == pytest.approx(multipletests(p, method="holm")[1])


@pytest.mark.parametrize("noise", [0.3, 1.0, 3.0])
def test_the_ceiling_is_the_correlation_of_the_outcome_with_its_truth(noise: float) -> None:
    cells = simulated(tables=60, noise=noise, slope=1.0)
    found = within.ceiling(cells, "gain")
    assert found is not None
    signal = 1.25  # the variance of an arm's quality, of which a fifth is the table's own
    assert found == pytest.approx(np.sqrt(signal / (signal + noise**2 / 2)), abs=0.08)
    assert within.ceiling(simulated(seeds=1), "gain") is None


def test_the_mixed_model_finds_the_planted_slope_and_not_another() -> None:
    cells = simulated(tables=16, slope=0.2, noise=0.2)
    good = regressions.mixed_effect(cells, GOOD, "gain")
    spread = cells.groupby("table")[GOOD].std().mean()
    assert good.slope == pytest.approx(0.2 * spread, abs=3 * good.error + 0.02)
    assert good.p < 1e-6
    assert good.left_out == ("log_dose", "log_rows")
    assert regressions.mixed_effect(cells, NOISE, "gain").p > 0.01


def test_the_mixed_model_tells_domains_from_their_tables() -> None:
    rng = np.random.default_rng(0)
    cells = simulated(tables=60, slope=0.02, noise=0.01, seeds=1)
    cells["domain"] = "d" + (cells["table"].str[1:].astype(int) % 20).astype(str)
    level = cells.groupby("table")["gain"].transform("mean")
    own = {table: 0.03 * rng.normal() for table in cells["table"].unique()}
    cells["gain"] += cells["table"].map(own) - level
    shared = {domain: 0.05 * rng.normal() for domain in cells["domain"].unique()}
    apart = regressions.mixed_effect(
        cells.assign(gain=cells["gain"] + cells["domain"].map(shared)), GOOD, "gain"
    )
    assert apart.domains == pytest.approx(0.05, abs=0.02)
    assert apart.tables == pytest.approx(0.03, abs=0.01)
    assert apart.warning == ""
    assert regressions.mixed_effect(cells, GOOD, "gain").domains < 0.015


def test_a_turn_is_found_where_it_is_planted_and_nowhere_else() -> None:
    turned = regressions.u_shape(simulated(slope=0.3, curve=1.0), GOOD, "gain")
    assert turned is not None
    assert turned.inverted
    assert turned.p < 0.01
    assert turned.at_least > 0 > turned.at_most
    straight = regressions.u_shape(simulated(), GOOD, "gain")
    assert straight is not None
    assert straight.p > 0.1
    assert regressions.u_shape(simulated(tables=2), GOOD, "gain") is None


def test_the_law_of_doses_is_recovered() -> None:
    rows = np.array([37.0, 75, 150, 375, 750, 1500])
    truth = regressions.LogLaw(2.0, 0.3, 0.6, 1.0)
    found = regressions.log_law(rows, truth(rows) + np.random.default_rng(0).normal(0, 0.001, 6))
    assert found.alpha > 0
    assert found.explained > 0.99
    assert found(np.array([225.0])) == pytest.approx(truth(np.array([225.0])), rel=0.01)
    with pytest.raises(ValueError, match="3 doses"):
        regressions.log_law(rows[:3], np.ones(3))
    with pytest.raises(ValueError, match="positive scores, got -1"):
        regressions.log_law(rows, -np.ones(6))


def test_doses_are_grouped_by_alignment() -> None:
    cells = pd.concat([simulated(seed=1).assign(dose=dose) for dose in (0.5, 2.0)])
    curves = regressions.dose_curves(cells, GOOD, "gain")
    assert sorted(curves["dose"].unique()) == [0.5, 2.0]
    aligned, other = (curves[curves["alignment"] == group]["gain"].mean() for group in (1, 0))
    assert aligned > other + 1


def test_ranks_and_their_critical_difference_are_those_of_the_literature() -> None:
    """Demšar (2006): four classifiers on 14 data sets have a critical difference of 1.25."""
    rng = np.random.default_rng(0)
    scores = pd.DataFrame(
        rng.normal(size=(14, 4)) * 0.1 + [0.0, 0.0, 1.0, 2.0], columns=list("abcd")
    )
    found = ranks.average_ranks(scores)
    assert found.difference == pytest.approx(1.25, abs=0.005)
    assert list(found.mean.index[:2]) == ["d", "c"]
    assert found.p < 1e-4
    assert ("d", "a") not in ranks.cliques(found)
    assert found.tables == ranks.average_ranks(pd.concat([scores, scores[:1] * np.nan])).tables


def test_packed_cells_are_the_same_files_again(tmp_path: Path) -> None:
    for name, rows in (("first", 40), ("second", 60)):
        write_table(tmp_path / f"{name}.csv", rows)
    measured = outcomes(tmp_path, {"base": {}})
    folder, other = tmp_path / "out" / STUDY.name, tmp_path / "again" / STUDY.name
    assert pack(folder, tmp_path / "cells.parquet") == 4
    assert unpack(tmp_path / "cells.parquet", other) == 4
    assert unpack(tmp_path / "cells.parquet", other) == 0
    for path in folder.glob("*/*.json"):
        assert (other / path.relative_to(folder)).read_bytes() == path.read_bytes()
        assert json.loads(path.read_text())["factors"] == {}
    assert [Store(tmp_path / "again").load(cell) for cell, _ in measured] == [
        outcome for _, outcome in measured
    ]


# --- the forecast -------------------------------------------------------------------------------


def with_arms_that_help_where(known: bool, tables: int = 40) -> pd.DataFrame:
    """Return cells where causal rows help on tables of many columns, or on any by a coin."""
    rng = np.random.default_rng(0)
    rows = []
    for table in range(tables):
        columns = int(rng.integers(4, 60))
        helps = (columns > 20) if known else bool(rng.integers(2))
        for split in range(3):
            facts = {
                "table": f"t{table}", "split": split, "seed": 0, "rows": 100, "dose": 2.0,
                "columns": columns, "categorical_share": rng.random(), "error": "",
                "base_log_loss": rng.random(), "base_auc": rng.random(),
            }  # fmt: skip
            gains = {"scm": 0.01 if helps else -0.01, "real rows": 0.0, "bootstrap": 0.0}
            rows += [
                {**facts, "arm": arm, "gain": gain, f"{METRIC}ks": rng.random()}
                for arm, gain in gains.items()
            ]
    return pd.DataFrame(rows)


def test_a_forecast_has_skill_where_there_is_something_to_know_and_none_where_not() -> None:
    known = forecast(with_arms_that_help_where(known=True), "gain", draws=200)
    assert known is not None
    assert (known.tables, known.runs) == (40, 120)
    assert 0.2 < known.low < known.skill < known.high
    nothing = forecast(with_arms_that_help_where(known=False), "gain", draws=200)
    assert nothing is not None
    assert nothing.low < 0 < nothing.share < 1
    assert nothing.skill < 0.05
    assert "none that can be shown" in page.judged(nothing)
    assert forecast(with_arms_that_help_where(known=True, tables=5), "gain") is None


# --- the page -----------------------------------------------------------------------------------


def with_columns_of_cells(cells: pd.DataFrame) -> pd.DataFrame:
    """Return simulated cells with every column that the page reads; arm 0 is the causal one."""
    names = {"a0": "scm", "a1": "real rows", "a2": "bootstrap", "a3": "unseen real rows"}
    gains = dict.fromkeys(GAINS, cells["gain"])
    curve = [
        {"validation_log_loss": v, "log_loss": v, "calibration_error": v / 10}
        for v in (0.7, 0.6, 0.5)
    ]
    cells = cells.assign(base_log_loss=0.5 + cells["base_auc"], seconds=7.0)
    whole = cells.assign(**gains, error="", curve=pd.Series([curve] * len(cells), dtype=object))
    return whole.assign(arm=whole["arm"].replace(names)).rename(columns={COPY: NOVELTY})


def test_the_page_answers_where_there_are_enough_tables_and_does_not_where_there_are_not() -> None:
    cells = with_columns_of_cells(simulated(tables=13))
    text = page.page(Answer.of(cells, len(cells), draws=200))
    assert "Of 3 metrics, 2 go with the gain beyond chance; `" in text
    assert "Partial" not in text
    assert text.count("| not measured |") == 4
    few = cells[cells["table"].isin(["t0", "t1", "t2"])]
    text = page.page(Answer.of(few, len(cells), draws=200))
    assert f"**Partial**: {len(few)} of {len(cells)} cells: 3 tables" in text
    assert "No answer yet: arms were compared on 3 tables" in text
    assert "beyond chance" not in text


def test_other_weights_have_a_section_and_take_no_part_in_the_correlations() -> None:
    cells = with_columns_of_cells(simulated(tables=13))
    other = cells.assign(backbone="tabpfn-v1")
    other.loc[other["arm"] == "scm", [*GAINS]] = 5.0
    other.loc[other["arm"] == "real rows", [*GAINS]] = 4.5
    alone = Answer.of(cells, len(cells), draws=100)
    both = Answer.of(cells, len(cells), other, draws=100)
    assert repr(both.found) == repr(alone.found)
    text = page.page(both)
    section = text[text.index("## On `tabpfn-v1`") :]
    assert "scm − real rows: +0.5000 ± 0.0000, better on 13 of 13 tables" in section
    assert "## On `" not in page.page(alone)


def test_doses_and_rows_are_compared_on_the_same_runs_and_correlate_with_nothing() -> None:
    """Each doubling of the dose gains .01 with causal rows; a table without some doses misleads."""
    cells = with_columns_of_cells(simulated(tables=13))
    cells.loc[cells["arm"].isin(growth.SIZED), [*GAINS]] = 0.0
    noise = np.random.default_rng(0).normal(size=len(cells))
    cells[growth.ALIGNMENT] = 5.0 * (cells["arm"] == "scm") + 0.1 * noise
    some = cells[cells["arm"].isin(growth.SIZED) & (cells["seed"] == 0)]

    def with_causal_gain(of: pd.DataFrame, gain: float) -> pd.DataFrame:
        gains = gain * (of["arm"] == "scm")
        auc_gain = gains - gain / 2 * (of["arm"] == "bootstrap")
        return of.assign(**{**dict.fromkeys(GAINS, gains), "auc_gain": auc_gain})

    odd = some["table"] == "t0"
    parts = [
        with_causal_gain(some.assign(dose=0.5), -0.02),
        with_causal_gain(some[~odd].assign(dose=1.0), -0.01),
        with_causal_gain(some[odd].assign(dose=1.0), 9.0),
        with_causal_gain(some[~odd].assign(dose=4.0), 0.01),
        with_causal_gain(some.assign(rows=200), 0.03),
    ]
    alone = Answer.of(cells, len(cells), draws=100)
    both = Answer.of(cells, len(cells), None, pd.concat(parts), draws=100)
    assert repr(both.found) == repr(alone.found)
    text = page.page(both)
    doses = text[text.index("## More synthetic rows") : text.index("## More real rows")]
    assert "on 12 tables" in doses
    for dose, gain in (("0.5", "-0.0200"), ("1", "-0.0100"), ("2", "+0.0000"), ("4", "+0.0100")):
        assert f"| {dose} | {gain} ± 0.0000 | +0.0000 ± 0.0000 | {gain} ± 0.0000 |" in doses
    slopes = re.findall(r"α = (\S+) \(R² \S+ for the (\w+) half", doses)
    assert [half for _, half in slopes] == ["worse", "better"]
    assert float(slopes[0][0]) < 0.0 < float(slopes[1][0])
    assert "| 200 | +0.0300 ± 0.0000 |" in text[text.index("## More real rows") :]
    assert "## More" not in page.page(alone)


def test_more_faults_are_compared_on_runs_that_have_all_and_correlate_apart() -> None:
    """In the study a metric goes with the gain; among faults of the generator another one does."""
    study = with_columns_of_cells(simulated(tables=14))
    some = study[(study["seed"] == 0) & (study["arm"] == "a4") & (study["table"] != "t0")]
    damage = np.arange(1, 7)
    more = [
        some.assign(arm=f"worse by {n}", **{**dict.fromkeys(GAINS, -float(n)), NOISE: -10.0 * n})
        for n in damage
    ]
    odd = some["table"] == "t1"
    faults = pd.concat([*more[:-1], more[-1][~odd]])
    alone = Answer.of(study, len(study), draws=100)
    both = Answer.of(study, len(study), None, None, faults, draws=100)
    assert repr(both.found) == repr(alone.found)
    assert "## Every fault" not in page.page(alone)
    text = page.page(both)
    section = text[text.index("## Every fault") : text.index("## A forecast")]
    assert "12 runs on 12 tables" in section  # t0 has no more faults, t1 lacks one
    causal = study[(study["seed"] == 0) & (study["arm"] == "scm")]
    kept = causal[~causal["table"].isin(["t0", "t1"])]["gain"]
    assert f"| worse by 3 | -3.0000 ± 0.0000 | {kept.mean() + 3:+.4f}" in section
    assert all(f"| {arm} |" not in section for arm in ("real rows", "bootstrap"))
    found = strongest_first(ladder.whole_ladders(study, faults), draws=100)
    assert {own.metric: own.correlation for own in found}[NOISE] > 0.6
    assert abs({own.metric: own.correlation for own in both.found}[NOISE]) < 0.2


def test_measures_of_the_gap_and_of_seeds_are_those_that_were_planted() -> None:
    cells = with_columns_of_cells(simulated(tables=12))
    own = cells["arm"] == "scm"
    cells.loc[own, "average_gain"] = np.where(cells.loc[own, "seed"] == 0, -0.1, 0.3)
    cells.loc[own, "guarded_gain"] = np.where(cells.loc[own, "seed"] == 0, 0.0, 0.2)
    steps = [(0.7, 0.8, 0.1), (0.5, 0.75, 0.2), (0.6, 0.65, 0.3)]  # validation takes the second
    curve = [{"validation_log_loss": v, "log_loss": t, "calibration_error": e} for v, t, e in steps]
    cells.loc[own, "curve"] = pd.Series([curve] * own.sum(), index=cells.index[own], dtype=object)
    found = measures.of_runs(cells).loc["scm"]
    assert found["wins"] == 0.5
    assert found["seeds"] == pytest.approx(np.std([-0.1, 0.3], ddof=1))
    assert found["seeds, kept"] == pytest.approx(np.std([0.0, 0.2], ddof=1))
    assert found["optimism"] == pytest.approx(0.2 - 0.05)
    assert found["regret"] == pytest.approx(0.1)
    assert found["spearman"] == pytest.approx(1 - 0.5)
    assert found["ece"] == pytest.approx(0.2)
    assert found["reduction"] == pytest.approx((0.1 / cells.loc[own, "base_log_loss"]).mean())
    assert "| scm |" in page.page(Answer.of(cells, len(cells), draws=20)).split("## Other")[1]


def test_rivals_have_a_section_and_are_compared_on_their_own_runs() -> None:
    """One is .3 behind causal rows where it was run; where it was not, these gain 9."""
    cells = with_columns_of_cells(simulated(tables=13))
    own = (cells["arm"] == "scm") & (cells["seed"] == 0) & ~cells["table"].isin(["t0"])
    gains = {name: cells.loc[own, name] - 0.3 for name in GAINS}
    rival = cells[own].assign(arm="smotenc", **gains)
    cells.loc[(cells["arm"] == "scm") & ~own, [*GAINS]] = 9.0
    alone = Answer.of(cells, len(cells), draws=100)
    both = Answer.of(cells, len(cells), rival, draws=100)
    assert repr(both.found) == repr(alone.found)
    assert "## Other generators" not in page.page(alone)
    (line,) = re.findall(r"\| smotenc \| .*", page.page(both))
    assert line.split(" | ")[1] == "12"
    assert line.split(" | ")[3] == "-0.3000 ± 0.0000"


def test_a_rival_is_judged_on_the_splits_that_it_was_run_on() -> None:
    cells = with_columns_of_cells(simulated(tables=15, noise=0.1))
    cells["auc_gain"] = 0.1
    cells.loc[cells["arm"] == "bootstrap", "auc_gain"] = 0.09
    rival = cells[(cells["arm"] == "scm") & (cells["seed"] == 0)].assign(
        arm="tabebm", auc_gain=-0.05
    )
    cells.loc[(cells["arm"] == "a5") & (cells["seed"] == 1), "auc_gain"] = 1.0  # the rival's best
    found = {own.said: own for own in claims.claims(cells, rival)}
    own = found["TabEBM's rows lose (median)"]
    assert (own.ours[:5], own.holds) == ("-0.50", "yes")
    assert own.ours.endswith(", 15 tables")
    alone = {own.said: own for own in claims.claims(cells)}
    other = "CausalMix has the best average rank"
    assert found[other] == alone[other]  # a rival takes part in its own claim only


def test_a_failed_cell_is_counted_and_takes_no_part() -> None:
    cells = with_columns_of_cells(simulated(tables=4, seeds=1))
    cells.loc[0, "error"] = "planted"
    cells.loc[0, [*GAINS]] = np.nan
    text = page.page(Answer.of(cells, len(cells), draws=100))
    assert "; 1 failed." in text
    assert "nan" not in text
    one = cells[cells["table"] == "t0"]
    assert "nan" not in page.page(Answer.of(one, len(cells), draws=100))


def test_claims_are_judged_by_their_interval() -> None:
    cells = with_columns_of_cells(simulated(tables=15, noise=0.1))
    cells.loc[cells["arm"] == "scm", "auc_gain"] = 0.09
    cells.loc[cells["arm"] == "real rows", "auc_gain"] = 0.01
    cells.loc[cells["arm"] == "bootstrap", "auc_gain"] = -0.05
    cells.loc[~cells["arm"].isin(["scm", "real rows", "bootstrap"]), "auc_gain"] = 0.1
    cells.loc[cells["table"] == "t0", "auc_gain"] /= 100  # next to nothing is no scale
    found = {own.said: own for own in claims.claims(cells)}
    better = found["CausalMix gains more than plain fine-tuning"]
    assert (better.ours, better.holds) == ("+0.89, from +0.89 to +0.89", "yes")
    assert found["CausalMix gains over the pretrained model (median)"].holds == "yes"
    assert found["CTGAN's rows lose (median)"].holds == "not measured"


def test_the_rank_is_among_arms_that_somebody_would_use() -> None:
    cells = with_columns_of_cells(simulated(tables=15, noise=0.1))
    for arm, gain in (("scm", 0.3), ("real rows", 0.2), ("bootstrap", 0.1)):
        cells.loc[cells["arm"] == arm, "auc_gain"] = gain
    cells.loc[~cells["arm"].isin(claims.CONTENDERS), "auc_gain"] = 1.0  # faults, unseen rows

    def judged(of: pd.DataFrame) -> claims.Claim:
        said = "CausalMix has the best average rank"
        return next(own for own in claims.claims(of) if own.said == said)

    assert judged(cells).holds == "yes"
    assert judged(cells).ours.startswith("place 1 of 3 (scm 1.0, real rows 2.0, bootstrap 3.0;")
    some = cells["table"].isin([f"t{n}" for n in range(7)]) & (cells["arm"] == "real rows")
    cells.loc[some, "auc_gain"] = 0.4  # ahead on seven of fifteen tables
    assert judged(cells).holds == "not shown"
    cells.loc[cells["arm"] == "scm", "auc_gain"] = 0.0
    assert judged(cells).holds == "no"
