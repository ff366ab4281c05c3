"""How good backbones are on real tables, without fine-tuning.

::

    python -m benchmarks.zero_shot --backbones mini tabpfn-v1 ensemble --data DIR
    python -m benchmarks.zero_shot --weights X.safetensors --data DIR

Tables with at most 10 classes and 45 features are split into 300 training rows (60 % where the
table is smaller) and up to 300 test rows. Backbones, and checkpoints of TabPFN's architecture,
predict in context with four views; 15 nearest neighbours, logistic regression and random forest see
the same rows, one-hot encoded, scaled and imputed. A new backbone costs its own predictions only.
Published weights must be here: `causalmix weights fetch tabpfn-v1`.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import ClassifierMixin
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from autogluon_causalmix.backbones.ensemble import Ensemble
from autogluon_causalmix.backbones.protocol import Backbone
from autogluon_causalmix.config import Named
from autogluon_causalmix.plugins import plugin_registry
from autogluon_causalmix.table import Table
from benchmarks.study.cells import Metric, Parsed, Settings, Study, Values
from benchmarks.study.command import parser_of, run
from benchmarks.study.metrics import Labels, Probabilities, all_metrics
from benchmarks.study.splits import Split, SplitRule
from benchmarks.study.tables import TARGET, Dataset, require_size
from benchmarks.study.versions import file_hash

MOST_CLASSES, MOST_COLUMNS, VIEWS = 10, 45, 4
BASELINES: dict[str, Callable[[int], ClassifierMixin]] = {
    "15 nearest neighbours": lambda _: KNeighborsClassifier(15),
    "logistic regression": lambda _: LogisticRegression(max_iter=2000),
    "random forest": lambda seed: RandomForestClassifier(500, random_state=seed),
}


def prepare(table: Dataset) -> Dataset:
    """Return the table if it is within the limits."""
    return require_size(table, MOST_CLASSES, MOST_COLUMNS)


def parse(settings: Settings) -> Parsed:
    """Return a baseline's name, or the number of views, the backbone and its files of weights."""
    if "model" in settings:
        return Parsed({"model": settings["model"]})
    named = named_backbone(settings)
    files = files_of(plugin_registry().of(Backbone).create(named))
    said = {} if "weights" in settings else {"backbone": settings["backbone"]}
    return Parsed({**said, "views": VIEWS}, files)


def named_backbone(settings: Settings) -> Named:
    """Return the backbone that an arm names, or the one that reads its checkpoint."""
    if "weights" in settings:
        return Named.parse({"name": "tabpfn-checkpoint", "path": settings["weights"]})
    return Named.parse(settings["backbone"])


def files_of(backbone: Any) -> tuple[Path, ...]:
    """Return the files of weights of a backbone, or of all members of an ensemble."""
    if not isinstance(backbone, Ensemble):
        return (backbone.weights().path,)
    return tuple(path for _, member in backbone.created() for path in files_of(member))


def arms_of(backbones: Sequence[str], weights: Sequence[Path]) -> dict[str, Settings]:
    """Return the baselines, the backbones, and an arm for each checkpoint, by file and hash."""
    arms: dict[str, Settings] = {name: {"model": name} for name in BASELINES}
    arms |= {name: {"backbone": name} for name in backbones}
    for path in weights:
        arms[f"{path.stem} {file_hash(path)[:8]}"] = {"weights": str(path)}
    return arms


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
    """Predict the test rows of one split of a table from its training rows."""
    codes = pd.factorize(table.frame[TARGET], sort=True)[0].astype("int64")
    frame = table.frame.assign(**{TARGET: codes})
    train, test = frame.iloc[split.train], frame.iloc[split.test]
    predict = predict_baseline if "model" in settings else predict_in_context
    begin = time.perf_counter()
    p, classes = predict(train, test.drop(columns=TARGET), settings, split.seed)
    seconds = round(time.perf_counter() - begin, 3)
    whole = aligned(p, classes, table.n_classes)
    return {**all_metrics(whole, codes[split.test]), "seconds": seconds}


def predict_in_context(
    train: pd.DataFrame, x: pd.DataFrame, settings: Settings, seed: int
) -> tuple[Probabilities, Labels]:
    """Return probabilities and classes of a backbone that has the training rows as context."""
    backbone = plugin_registry().of(Backbone).create(named_backbone(settings))
    context = Table.from_frame(train, TARGET)
    model = backbone.condition(context, n_estimators=VIEWS, device="cpu", seed=seed)
    return model.predict_proba(x), model.classes.astype("int64")


def predict_baseline(
    train: pd.DataFrame, x: pd.DataFrame, settings: Settings, seed: int
) -> tuple[Probabilities, Labels]:
    """Return probabilities and classes of a baseline."""
    model = pipeline(BASELINES[settings["model"]](seed), x)
    with warnings.catch_warnings():
        # categories without a training row, and the like: expected of 300 rows
        warnings.simplefilter("ignore")
        model.fit(train.drop(columns=TARGET), train[TARGET])
        return model.predict_proba(x), model.classes_


def aligned(p: Probabilities, classes: Labels, n_classes: int) -> Probabilities:
    """Return probabilities (rows, n_classes); a class that the model has not seen gets 0."""
    whole = np.zeros((len(p), n_classes))
    whole[:, classes] = p
    return whole


STUDY = Study(
    name="zero_shot",
    version=2,
    prepare=prepare,
    rule=SplitRule(train_rows=300, train_share=0.6, test_rows=300, stratified_test=True),
    parse=parse,
    measure=measure,
    metrics=(
        Metric("roc_auc", "higher", bound=0.01),
        Metric("log_loss", "lower", bound=0.01),
        Metric("calibration_error", "lower", bound=0.01),
        Metric("seconds"),
    ),
    reference="random forest",
)


def main() -> None:
    """Run the command."""
    parser = parser_of(__doc__)
    parser.add_argument("--backbones", nargs="+", default=[], help="names")
    parser.add_argument("--weights", type=Path, nargs="+", default=[], help="checkpoints")
    given = parser.parse_args()
    run(STUDY, arms_of(given.backbones, given.weights), given)


if __name__ == "__main__":
    main()
