"""How good pretrained weights are on real tables, without fine-tuning.

::

    python -m benchmarks.zero_shot --weights X.safetensors --data DIR

Tables with at most 10 classes and 45 features are split three times into 300 training rows (60 %
where the table is smaller) and up to 1,000 test rows. The network predicts in context with 4
estimators; 15 nearest neighbours, logistic regression and random forest see the same rows, one-hot
encoded, scaled and imputed. A new checkpoint costs its own predictions only.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from tabpfn import TabPFNClassifier

from benchmarks.study.cells import Metric, Parsed, Settings, Study, Values
from benchmarks.study.command import parser_of, run
from benchmarks.study.metrics import all_metrics
from benchmarks.study.splits import Split, SplitRule
from benchmarks.study.tables import Dataset, require_size
from benchmarks.study.versions import file_hash

MOST_CLASSES, MOST_COLUMNS, ESTIMATORS = 10, 45, 4
BASELINES: dict[str, Callable[[int], ClassifierMixin]] = {
    "15 nearest neighbours": lambda _: KNeighborsClassifier(15),
    "logistic regression": lambda _: LogisticRegression(max_iter=2000),
    "random forest": lambda seed: RandomForestClassifier(500, random_state=seed),
}


def prepare(table: Dataset) -> Dataset:
    """Return the table if it is within the limits."""
    return require_size(table, MOST_CLASSES, MOST_COLUMNS)


def parse(settings: Settings) -> Parsed:
    """Return a baseline's name, or the number of estimators and the file of weights."""
    if "weights" in settings:
        return Parsed({"estimators": ESTIMATORS}, (Path(settings["weights"]),))
    return Parsed({"model": settings["model"]})


def arms_of(weights: list[Path]) -> dict[str, Settings]:
    """Return the baselines, and an arm for each checkpoint, named by its file and hash."""
    arms: dict[str, Settings] = {name: {"model": name} for name in BASELINES}
    for path in weights:
        arms[f"{path.stem} {file_hash(path)[:8]}"] = {"weights": str(path)}
    return arms


def model_of(settings: Settings, x: pd.DataFrame, seed: int) -> Any:
    """Return the arm's classifier, not yet fitted."""
    if "model" in settings:
        return pipeline(BASELINES[settings["model"]](seed), x)
    return TabPFNClassifier(
        model_path=settings["weights"],
        n_estimators=ESTIMATORS,
        device="cpu",
        random_state=seed,
        n_preprocessing_jobs=1,
    )


def pipeline(model: ClassifierMixin, x: pd.DataFrame) -> Any:
    """Return a baseline behind one-hot encoding, scaling and imputation."""
    text = list(x.select_dtypes("category").columns)
    numbers = [column for column in x.columns if column not in text]
    one_hot = make_pipeline(
        SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore")
    )
    scaled = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    columns = make_column_transformer((one_hot, text), (scaled, numbers), sparse_threshold=0)
    return make_pipeline(columns, model)


def measure(table: Dataset, split: Split, settings: Settings) -> Values:
    """Fit and predict one split of a table."""
    x = table.frame.drop(columns="target")
    y = pd.factorize(table.frame["target"], sort=True)[0].astype("int64")
    model = model_of(settings, x, split.seed)
    begin = time.perf_counter()
    with warnings.catch_warnings():
        # categories without a training row, and the like: expected of 300 rows
        warnings.simplefilter("ignore")
        model.fit(x.iloc[split.train], y[split.train])
        p = aligned(model.predict_proba(x.iloc[split.test]), model.classes_, table.n_classes)
    seconds = round(time.perf_counter() - begin, 3)
    return {**all_metrics(p, y[split.test]), "seconds": seconds}


def aligned(
    p: NDArray[np.float64], classes: NDArray[np.int64], n_classes: int
) -> NDArray[np.float64]:
    """Return probabilities (rows, n_classes); a class that the model has not seen gets 0."""
    whole = np.zeros((len(p), n_classes))
    whole[:, classes] = p
    return whole


STUDY = Study(
    name="zero_shot",
    version=1,
    prepare=prepare,
    rule=SplitRule(train_rows=300, train_share=0.6, test_rows=1000, stratified_test=True),
    parse=parse,
    measure=measure,
    metrics=(
        Metric("roc_auc", "higher", bound=0.01),
        Metric("log_loss", "lower", bound=0.01),
        Metric("calibration_error", "lower", bound=0.01),
        Metric("seconds"),
    ),
    reference="logistic regression",
)


def main() -> None:
    """Run the command."""
    parser = parser_of(__doc__)
    parser.add_argument("--weights", type=Path, nargs="+", required=True, help="checkpoints")
    given = parser.parse_args()
    run(STUDY, arms_of(given.weights), given)


if __name__ == "__main__":
    main()
