"""CausalMix for AutoGluon: a tabular foundation model, fine-tuned on real and synthetic rows.

The synthetic rows are drawn from causal models of the real ones.

Where this package has been imported, AutoGluon knows the model by the key ``"CAUSALMIX"``. The
import itself is light: AutoGluon and pandas load with the first name that needs them::

    from autogluon.tabular import TabularPredictor
    from autogluon_causalmix import CausalMixModel

    models = {CausalMixModel: {}, "GBM": {}}
    predictor = TabularPredictor(label="class").fit(train, hyperparameters=models)
"""

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from autogluon_causalmix.augmenter import Augmenter
    from autogluon_causalmix.classifier import CausalMixClassifier
    from autogluon_causalmix.counterfactuals import counterfactual
    from autogluon_causalmix.fidelity.battery import measure_fidelity
    from autogluon_causalmix.fidelity.records import FidelityReport
    from autogluon_causalmix.generation import augment
    from autogluon_causalmix.model import CausalMixModel, register
    from autogluon_causalmix.records import FitReport
    from autogluon_causalmix.reports import report_of
    from autogluon_causalmix.table import Table
else:
    _MODULES = {
        "Augmenter": "augmenter",
        "CausalMixClassifier": "classifier",
        "CausalMixModel": "model",
        "FidelityReport": "fidelity.records",
        "FitReport": "records",
        "Table": "table",
        "augment": "generation",
        "counterfactual": "counterfactuals",
        "measure_fidelity": "fidelity.battery",
        "register": "model",
        "report_of": "reports",
    }

    def __getattr__(name: str) -> object:
        """Import a public name when it is first asked for."""
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)

    def __dir__() -> list[str]:
        return [*globals(), *__all__]


__all__ = [
    "Augmenter",
    "CausalMixClassifier",
    "CausalMixModel",
    "FidelityReport",
    "FitReport",
    "Table",
    "augment",
    "counterfactual",
    "measure_fidelity",
    "register",
    "report_of",
]

_REGISTRY, _MODEL = "autogluon.tabular.registry", "autogluon_causalmix.model"


class _RegistryLoader(SourceFileLoader):
    """Loads AutoGluon's registry of models, then the module that enters ours."""

    def exec_module(self, module: ModuleType) -> None:
        super().exec_module(module)
        import_module(_MODEL)


class _RegistryFinder:
    """Gives `_RegistryLoader` to the one module that is waited for."""

    @staticmethod
    def find_spec(
        name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        spec = PathFinder.find_spec(name, path, target) if name == _REGISTRY else None
        if spec is not None and spec.origin is not None:
            spec.loader = _RegistryLoader(name, spec.origin)
        return spec


if _REGISTRY in sys.modules:
    import_module(_MODEL)
else:  # not wrapt's post-import hooks: importing wrapt takes as long as importing typer and rich
    sys.meta_path.insert(0, _RegistryFinder)
