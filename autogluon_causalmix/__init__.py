"""CausalMix for AutoGluon: fine-tune a tabular foundation model on your rows and on rows of causal models of them.

Importing this package registers the model under the key ``"CAUSALMIX"``::

    from autogluon.tabular import TabularPredictor
    from autogluon_causalmix import CausalMixModel

    predictor = TabularPredictor(label="class").fit(train, hyperparameters={CausalMixModel: {}, "GBM": {}})
"""

from autogluon_causalmix.generation import augment
from autogluon_causalmix.model import CausalMixModel, register
from autogluon_causalmix.records import FitReport
from autogluon_causalmix.table import Table

__all__ = ["CausalMixModel", "FitReport", "Table", "augment", "register"]

register()
