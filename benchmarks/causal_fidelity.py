"""What synthetic rows are worth, beside stock parts.

::

    python -m benchmarks.causal_fidelity --data DIR --arms real ours stock

For each table and split, at most 500 rows go to a generator, which draws 1,000:

tstr       ROC-AUC on unseen real rows of gradient boosting trained on the drawn rows; the higher
           the better
detection  cross-fitted ROC-AUC of gradient boosting that tells drawn from unseen real rows; ½ is
           perfect

The arms are ``real`` (the rows themselves, tstr alone), ``stock`` (causal-learn's PC with Fisher-Z
on codes, DoWhy's automatic mechanisms) and ``ours``, whose options ``--set`` gives as JSON. Stock
takes minutes a table and does not finish on some: what it raises is written down as its result.
"""

from __future__ import annotations

import json
import time
import warnings
from dataclasses import asdict
from functools import partial
from typing import Any

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from autogluon_causalmix.arrays import Matrix
from autogluon_causalmix.generators.protocol import Generator
from autogluon_causalmix.plugins import plugin_registry
from autogluon_causalmix.resources import Resources, cut_off
from autogluon_causalmix.table import Table
from benchmarks.causal_stage import stock
from benchmarks.study.cells import Metric, Parsed, Settings, Study, Values
from benchmarks.study.command import parser_of, run
from benchmarks.study.metrics import roc_auc
from benchmarks.study.splits import Split, SplitRule
from benchmarks.study.tables import Dataset, as_text, keep_classes

DRAWN_ROWS, FEWEST_ROWS_OF_A_CLASS = 1000, 10
SECONDS = 600.0  # of one fit


def prepare(table: Dataset) -> Dataset:
    """Return the table without rare classes."""
    return keep_classes(table, FEWEST_ROWS_OF_A_CLASS)


def arms_of(options: Settings, limit: float) -> dict[str, Settings]:
    """Return the arms: options of our generator, and seconds after which stock is cut off."""
    return {
        "real": {"rows": "real"},
        "ours": {"rows": "ours", "options": dict(options)},
        "stock": {"rows": "stock", "limit": limit},
    }


def parse(settings: Settings) -> Parsed:
    """Return an arm with the generator's options, defaults included."""
    if settings["rows"] != "ours":
        return Parsed(dict(settings))
    return Parsed({"rows": "ours", "options": asdict(generator(settings))})


def generator(settings: Settings) -> Any:
    """Return our generator with the arm's options."""
    return plugin_registry().of(Generator).get("scm").create(settings["options"])


def measure(table: Dataset, split: Split, settings: Settings) -> Values:
    """Draw rows of one arm and score them; stock parts may raise, which is a result."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of stock parts and of gradient boosting
        return scores(*tables_of(table, split), split.seed, settings)


def scores(real: Table, held_out: Table, seed: int, settings: Settings) -> Values:
    """Return what the rows of one arm are worth, drawn from `real` and held against `held_out`."""
    started = time.perf_counter()
    try:
        drawn = draw(real, seed, settings)
    except Exception as error:
        if settings["rows"] != "stock":
            raise
        return {"raised": f"{type(error).__name__}: {error}", "finished": 0.0}
    seconds = time.perf_counter() - started
    values = {"tstr": tstr(drawn, held_out), "finished": 1.0, "seconds": seconds}
    if settings["rows"] == "real":
        return values
    return {**values, "detection": detection(drawn, held_out.encode())}


def tables_of(table: Dataset, split: Split) -> tuple[Table, Table]:
    """Return the rows that generators see and those that none does, coded alike."""
    frame = as_text(table.take(np.concatenate([split.train, split.test])))
    whole, size = Table.from_frame(frame, "target"), len(split.train)
    return whole.take(np.arange(size)), whole.take(np.arange(size, len(whole)))


def draw(real: Table, seed: int, settings: Settings) -> Matrix:
    """Return the rows of one arm as codes."""
    if settings["rows"] == "real":
        return real.encode()
    if settings["rows"] == "stock":
        work = partial(stock, real, DRAWN_ROWS, seed)
        return cut_off(settings["limit"], "stock", work).to_numpy()
    rng = np.random.default_rng(seed)
    fitted = generator(settings).fit(real, rng, Resources(SECONDS, 1))
    rows: Matrix = fitted.sample(DRAWN_ROWS, rng).encode()
    return rows


def tstr(drawn: Matrix, real: Table) -> float:
    """Return the ROC-AUC on real rows of gradient boosting trained on drawn ones."""
    target, truth = real.target_position, real.encode()
    codes = [
        i - (i > target)
        for i, column in enumerate(real.columns)
        if column.is_categorical and i != target
    ]
    model = HistGradientBoostingClassifier(max_iter=60, categorical_features=codes, random_state=0)
    if len(np.unique(drawn[:, target])) < 2:
        return 0.5
    model.fit(np.delete(drawn, target, axis=1), drawn[:, target])
    labels = truth[:, target].astype("int64")
    p = np.full((len(truth), int(max(labels.max(), model.classes_.max())) + 1), 1e-9)
    p[:, model.classes_.astype(int)] = model.predict_proba(np.delete(truth, target, axis=1))
    return roc_auc(p, labels)


def detection(drawn: Matrix, held_out: Matrix) -> float:
    """Return the ROC-AUC of gradient boosting that tells drawn from unseen real rows."""
    n = min(len(drawn), len(held_out))
    rows, label = np.concatenate([held_out[:n], drawn[:n]]), np.repeat([0, 1], n)
    folds = StratifiedKFold(3, shuffle=True, random_state=0)
    model = HistGradientBoostingClassifier(max_iter=60, random_state=0)
    p = cross_val_predict(model, rows, label, cv=folds, method="predict_proba")
    return roc_auc(p, label)


STUDY = Study(
    name="causal_fidelity",
    version=1,
    prepare=prepare,
    rule=SplitRule(train_rows=500, train_share=0.65, test_rows=1000),
    parse=parse,
    measure=measure,
    metrics=(
        Metric("tstr", "higher", bound=0.01),
        Metric("detection", "lower", bound=0.01),
        Metric("finished"),
        Metric("seconds"),
    ),
    reference="stock",
)


def main() -> None:
    """Run the command."""
    parser = parser_of(__doc__)
    arms = list(arms_of({}, 0.0))
    parser.add_argument("--arms", nargs="+", default=arms, choices=arms)
    parser.add_argument(
        "--set", type=json.loads, default={}, metavar="JSON", help="options of our generator"
    )
    parser.add_argument(
        "--limit", type=float, default=SECONDS, help="seconds after which stock is cut off"
    )
    given = parser.parse_args()
    every = arms_of(given.set, given.limit)
    run(STUDY, {name: every[name] for name in given.arms}, given)


if __name__ == "__main__":
    main()
