"""CausalMix for AutoGluon: a tabular foundation model, fine-tuned on real and synthetic rows.

The synthetic rows are drawn from causal models of the real ones.

Importing this package registers the model under the key ``"CAUSALMIX"``::

    from autogluon.tabular import TabularPredictor
    from autogluon_causalmix import CausalMixModel

    models = {CausalMixModel: {}, "GBM": {}}
    predictor = TabularPredictor(label="class").fit(train, hyperparameters=models)
"""

from autogluon_causalmix.augmenter import Augmenter
from autogluon_causalmix.classifier import CausalMixClassifier
from autogluon_causalmix.fidelity.battery import measure_fidelity
from autogluon_causalmix.fidelity.records import FidelityReport
from autogluon_causalmix.generation import augment
from autogluon_causalmix.model import CausalMixModel, register
from autogluon_causalmix.records import FitReport
from autogluon_causalmix.reports import report_of
from autogluon_causalmix.table import Table

__all__ = [
    "Augmenter",
    "CausalMixClassifier",
    "CausalMixModel",
    "FidelityReport",
    "FitReport",
    "Table",
    "augment",
    "measure_fidelity",
    "register",
    "report_of",
]

register()
