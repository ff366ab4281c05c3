"""How good backbones are on real tables zero-shot, each as its adapter shows it the rows.

::

    python -m benchmarks.backbones --backbones mini tabpfn-v1 --data DIR

Tables with at most 10 classes and 45 features are split into 300 training rows (60 % where the
table is smaller) and up to 300 test rows; four views. Published weights must be here:
`causalmix weights fetch tabpfn-v1`.
"""

from __future__ import annotations

import time
from typing import Any

import pandas as pd

from autogluon_causalmix.backbones.protocol import Backbone
from autogluon_causalmix.plugins import plugin_registry
from autogluon_causalmix.table import Table
from benchmarks.study.cells import Metric, Parsed, Settings, Study, Values
from benchmarks.study.command import parser_of, run
from benchmarks.study.metrics import all_metrics
from benchmarks.study.splits import Split, SplitRule
from benchmarks.study.tables import TARGET, Dataset
from benchmarks.zero_shot import aligned, prepare

VIEWS = 4


def backbone_of(settings: Settings) -> Any:
    """Return the backbone that an arm names."""
    return plugin_registry().of(Backbone).get(settings["backbone"]).create({})


def parse(settings: Settings) -> Parsed:
    """Return the number of views and the file of weights, whatever their name."""
    return Parsed({**settings, "views": VIEWS}, (backbone_of(settings).weights().path,))


def measure(table: Dataset, split: Split, settings: Settings) -> Values:
    """Predict the test rows of one split, the training rows as context."""
    codes = pd.factorize(table.frame[TARGET], sort=True)[0].astype("int64")
    frame = table.frame.assign(**{TARGET: codes})
    context = Table.from_frame(frame.iloc[split.train], TARGET)
    begin = time.perf_counter()
    model = backbone_of(settings).condition(
        context, n_estimators=VIEWS, device="cpu", seed=split.seed
    )
    p = model.predict_proba(frame.drop(columns=TARGET).iloc[split.test])
    seconds = round(time.perf_counter() - begin, 3)
    whole = aligned(p, model.classes.astype("int64"), table.n_classes)
    return {**all_metrics(whole, codes[split.test]), "seconds": seconds}


STUDY = Study(
    name="backbones",
    version=1,
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
    reference="mini",
)


def main() -> None:
    """Run the command."""
    parser = parser_of(__doc__)
    parser.add_argument("--backbones", nargs="+", default=["mini", "tabpfn-v1"])
    given = parser.parse_args()
    run(STUDY, {name: {"backbone": name} for name in given.backbones}, given)


if __name__ == "__main__":
    main()
