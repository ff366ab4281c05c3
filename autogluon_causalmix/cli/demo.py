"""``causalmix demo``."""

import shutil
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.table import Table as Grid

from autogluon_causalmix.cli import options
from autogluon_causalmix.cli.progress import Progress, followed
from autogluon_causalmix.cli.terminal import console

if TYPE_CHECKING:  # loads pandas and AutoGluon
    import pandas as pd

    from autogluon_causalmix.comparison import Comparison
    from autogluon_causalmix.records import FitReport

TARGET = "class"
TRAINING_ROWS = 100  # few enough that validation rows say little: the case this package is for
SPLITS = 3
OPTIONS = {"backbone": "auto", "n_estimators": 2, "finetune_steps": 30}


def breast_cancer() -> "pd.DataFrame":
    """Return 569 tumours, 30 measurements, benign or malignant (Wolberg et al., 1995)."""
    from sklearn.datasets import load_breast_cancer

    return _named(load_breast_cancer(as_frame=True))


def wine() -> "pd.DataFrame":
    """Return 178 wines, 13 measurements, three cultivars (Aeberhard & Forina, 1992)."""
    from sklearn.datasets import load_wine

    return _named(load_wine(as_frame=True))


def diabetes() -> "pd.DataFrame":
    """Return 442 patients, 10 measurements: disease faster than the median, or slower.

    Efron et al., 2004.
    """
    import numpy as np
    from sklearn.datasets import load_diabetes

    bunch = load_diabetes(as_frame=True, scaled=False)
    features: pd.DataFrame = bunch.data.astype({"sex": "category"})
    return features.assign(
        **{TARGET: np.where(bunch.target > bunch.target.median(), "faster", "slower")}
    )


def _named(bunch: Any) -> "pd.DataFrame":
    import numpy as np

    features: pd.DataFrame = bunch.data
    return features.assign(**{TARGET: np.asarray(bunch.target_names)[bunch.target]})


TABLES = {"breast cancer": breast_cancer, "wine": wine, "diabetes": diabetes}


def demo(
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the report.")] = Path(
        "causalmix-demo"
    ),
    force: options.Force = False,
    verbose: options.Verbose = False,
    quiet: options.Quiet = False,
) -> None:
    """Compare four arms on real tables of scikit-learn, as `causalmix fit` does on yours.

    Fetches published weights on first use where they are in reach; offline, `mini` runs.
    """
    options.hush(quiet)
    options.claim(out, force, written=())
    _run(out, 2 if verbose else 0)


def _run(out: Path, verbosity: int) -> None:
    """Compare the arms on all tables and splits; print a table, leave a report and a picture."""
    import pandas as pd

    from autogluon_causalmix.report.page import write_page
    from autogluon_causalmix.report.pictures import draw_arms, save

    comparisons = _comparisons(out / "predictors", verbosity)
    scores = pd.concat(
        [
            done.scores.assign(table=name, split=split)
            for (name, split), done in comparisons.items()
        ],
        ignore_index=True,
    )
    reports = {  # zero-shot is in the others' reports: it is their first candidate
        f"{arm} on {name}, split 1": report
        for (name, split), done in comparisons.items()
        if split == 0
        for arm, report in done.reports.items()
        if arm != "zero-shot"
    }
    picture = draw_arms(scores)
    save(picture, out / "arms.svg")
    scores.to_csv(out / "scores.csv", index=False)
    summary, said = _summary(scores), verdict_of(scores)
    write_page(
        out / "report.html",
        reports,
        title="CausalMix demo",
        verdict=said,
        leaderboard=summary,
        scored_on="test rows, mean ± standard deviation over splits",
        pictures=[picture],
    )
    console.print(_grid(summary))
    console.print(said)
    console.print(_weights(reports.values()), soft_wrap=True)
    console.print(f"report: {out / 'report.html'}", soft_wrap=True)


def _weights(reports: "Iterable[FitReport]") -> str:
    """Say which weights ran, and why these."""
    report = next(iter(reports))
    chosen = [note for note in report.notes if note.startswith("the backbone 'auto'")]
    return f"weights: {report.backbone.name}; {'; '.join(chosen)}"


def _comparisons(path: Path, verbosity: int) -> "dict[tuple[str, int], Comparison]":
    """Fit every arm on every split of every table; the predictors are thrown away."""
    from sklearn.model_selection import train_test_split

    from autogluon_causalmix.comparison import compare

    jobs = [(name, split) for name in TABLES for split in range(SPLITS)]
    done: dict[tuple[str, int], Comparison] = {}
    with followed() as progress:
        for place, (name, split) in enumerate(jobs, start=1):
            job = f"{place} of {len(jobs)}: {name}, split {split + 1}"
            frame = TABLES[name]()
            train, rest = train_test_split(
                frame,
                train_size=min(TRAINING_ROWS, len(frame) // 2),
                stratify=frame[TARGET],
                random_state=split,
            )
            options = {**OPTIONS, "random_state": split}
            done[name, split] = compare(
                train,
                rest,
                TARGET,
                options,
                path,
                verbosity=verbosity,
                say=partial(_say, progress, job),
            )
            shutil.rmtree(path)
    return done


def _say(progress: Progress, job: str, arm: str) -> None:
    progress.say(f"{job}, {arm}")


def _summary(scores: "pd.DataFrame") -> "pd.DataFrame":
    """Return one row per table and arm, as text.

    Mean ± standard deviation over splits, and how often the fine-tuned weights were kept.
    """
    import pandas as pd

    rows = []
    for (table, arm), group in scores.groupby(["table", "arm"], sort=False):
        spread = {
            name: f"{group[name].mean():.3f} ± {group[name].std():.3f}"
            for name in ("log_loss", "roc_auc")
        }
        rows.append(
            {
                "table": table,
                "arm": arm,
                "log-loss": spread["log_loss"],
                "ROC-AUC": spread["roc_auc"],
                "kept tuned": f"{(group['kept'] == 'fine-tuned').sum()} of {len(group)}",
                "seconds": f"{group['fit seconds'].mean():.1f}",
            }
        )
    return pd.DataFrame(rows)


def _grid(summary: "pd.DataFrame") -> Grid:
    grid = Grid(*summary.columns, box=SIMPLE_HEAD, padding=(0, 1, 0, 0))  # 80 letters wide at most
    for position, column in enumerate(grid.columns):
        column.no_wrap, column.justify = True, "left" if position < 2 else "right"
    for row in summary.to_dict("records"):
        grid.add_row(*row.values(), end_section=row["arm"] == "CausalMix")
    return grid


def verdict_of(scores: "pd.DataFrame") -> str:
    """Say in one sentence what these runs show, and no more."""
    from autogluon_causalmix.verdict import verdict

    losses = scores.pivot_table(index=["table", "split"], columns="arm", values="log_loss")
    tables, splits = len(TABLES), len(losses)
    return verdict(losses, f"the test rows of {splits} splits of {tables} tables")
