"""`CausalMixModel`: CausalMix in AutoGluon's words. Translation only."""

import os
from collections.abc import Hashable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from autogluon.common.space import Space
from autogluon.core.utils.exceptions import NotEnoughMemoryError, TimeLimitExceeded
from autogluon.tabular.models.abstract.abstract_torch_model import AbstractTorchModel
from autogluon.tabular.registry import ag_model_registry

from autogluon_causalmix.arms import search_space
from autogluon_causalmix.arrays import Matrix
from autogluon_causalmix.backbones.contract import named_limits
from autogluon_causalmix.backbones.protocol import Backbone, Exportable
from autogluon_causalmix.config import Hyperparameters
from autogluon_causalmix.derived import Derived
from autogluon_causalmix.errors import BackboneError
from autogluon_causalmix.finetuning.mixture import Mixture
from autogluon_causalmix.fitlog import Log, progress
from autogluon_causalmix.generators.protocol import Generator
from autogluon_causalmix.method import fit
from autogluon_causalmix.plugins import plugin_registry
from autogluon_causalmix.records import FitReport
from autogluon_causalmix.refit import REPORT_FILE, found, joined, verdicts_before
from autogluon_causalmix.resources import Resources, is_out_of_memory
from autogluon_causalmix.table import Table
from autogluon_causalmix.warmup import warm_up

HEADROOM = 0.9  # of the limit: AutoGluon counts saving and the first prediction into it
TARGET = "causalmix target"  # where the labels have no name of their own

IMPORTS = 0.8e9
"""Bytes of torch, tabpfn and the libraries of the causal stage, by benchmarks/memory.py."""

ROWS_PER_EPISODE = 1.5
"""Per real row: real context and synthetic query."""


class CausalMixModel(AbstractTorchModel):
    """A tabular foundation model, fine-tuned on real rows and on rows of causal models.

    Pass the class as a key of ``hyperparameters``; the string ``"CAUSALMIX"`` works too wherever
    this package has been imported. The values are the fields of
    `autogluon_causalmix.config.Hyperparameters`. The fine-tuned and the pretrained network predict
    together, the former with a weight that follows from its gain on validation rows and may be 0;
    `fit_report` has it, and why. Sample weights are ignored: in-context learning has none.

    Paper: Causal Data Augmentation for Robust Fine-Tuning of Tabular Foundation Models
    (arXiv 2601.04110).
    Authors: Magnus Bühler, Lennart Purucker, Frank Hutter.
    License: Apache-2.0; the weights of the backbone have their own, named in the report.

    Examples
    --------
    >>> from autogluon.tabular import TabularPredictor
    >>> predictor = TabularPredictor(label="class")
    >>> predictor.fit(train, hyperparameters={CausalMixModel: {}})  # doctest: +SKIP
    """

    ag_key = "CAUSALMIX"
    ag_name = "CausalMix"
    ag_priority = 55
    seed_name = "random_state"
    _supported_problem_types = ["binary", "multiclass"]
    _default_auxiliary_params_extra = {
        "max_rows": 10_000,
        "max_features": 500,
        "max_classes": 100,
        "problem_types": ["binary", "multiclass"],
    }
    # Folds one after another: in parallel they would each download the weights, and fight for one
    # GPU.
    _default_ag_args_ensemble_extra = {
        "fold_fitting_strategy": "sequential_local",
        "refit_folds": True,
    }
    default_resources_physical_cores_only = True
    default_num_gpus = 1
    _fit_report: dict[str, Any] | None = None

    @property
    def fit_report(self) -> FitReport:
        """What was decided and measured in this fit."""
        return FitReport.model_validate(self._fit_report)

    def _validate_params(self) -> None:
        # AutoGluon calls this in the driver before any worker starts.
        self.check(joined(_without_spaces(self.params)))

    def _get_default_auxiliary_params(self) -> dict[str, Any]:
        params: dict[str, Any] = super()._get_default_auxiliary_params()
        limits = named_limits(self._user_params.get("backbone"))
        return params | {"max_rows": limits.rows, "max_features": limits.features}

    @staticmethod
    def check(params: Mapping[str, object]) -> Hyperparameters:
        """Return the hyperparameters after parsing, those of every plugin they name included.

        Raises
        ------
        ConfigError
            One is unknown, of the wrong type or out of range.
        UnknownPlugin
            There is no generator, discoverer or backbone of a name.
        """
        options = Hyperparameters.parse(params)
        plugin_registry().of(Backbone).create(options.backbone)
        if options.generator is not None:
            plugin_registry().of(Generator).create(options.generator)
        return options

    @classmethod
    def warmup(cls, *, hyperparameters: Mapping[str, Any] | None = None, **resources: Any) -> None:
        """Pay before a timed fit what only the first fit of a process costs: see `warm_up`."""
        named = _without_spaces(hyperparameters or {})
        warm_up(named, resources.get("num_cpus"), resources.get("num_gpus"))

    def _get_default_searchspace(self) -> dict[str, Space]:
        return search_space()

    def _fit(
        self,
        X: pd.DataFrame,
        y: pd.Series,
        X_val: pd.DataFrame | None = None,
        y_val: pd.Series | None = None,
        time_limit: float | None = None,
        num_cpus: int = 1,
        num_gpus: float = 0,
        verbosity: int = 2,
        **kwargs: Any,  # X_test, X_unlabeled and others, which no generator may see
    ) -> None:
        import torch

        torch.set_num_threads(num_cpus)  # restored by AutoGluon: see _class_tags
        device = self._resolve_fit_device(num_gpus=num_gpus)
        options = self.check(joined(self._get_model_params()))
        log = Log(scope=self._scope())
        seconds = options.time_limit if time_limit is None else HEADROOM * time_limit
        resources = Resources(seconds, num_cpus, device)
        if kwargs.get("sample_weight") is not None:
            log.note("sample weights are ignored: the model learns in context")
        if options.generator is not None and self._feature_metadata.get_features(
            required_special_types=["stack"]
        ):
            # No SCM should be learned over out-of-fold predictions.
            log.note("no synthetic rows at this stack level: its columns are predictions, not data")
            options = options.model_copy(update={"generator": None})
        features = self.preprocess(X, y=y, is_train=True)
        target = y.name if y.name is not None and y.name not in features.columns else TARGET
        table = Table.from_frame(_labelled(features, y, target), target)
        validation = None
        if X_val is not None and y_val is not None:
            validation = table.with_frame(_labelled(self.preprocess(X_val), y_val, target))
        made = Derived.by_autogluon(self._feature_metadata)
        if resources.remaining() <= 0:
            raise TimeLimitExceeded
        with _memory_errors(), progress(options.finetune_steps, verbosity) as on_step:
            fitted = fit(table, validation, options, resources, on_step, log, made)
        report = fitted.report
        if X_val is None and not options.early_stopping:  # a refit
            report = report.model_copy(update={"folds": verdicts_before(Path(self.path))})
        self.model = fitted.model
        self._fit_report = report.model_dump(mode="json")
        self.params_trained = found(report, seconds)
        if report.tuned_step > 0:  # else a note has said why nothing was tuned
            log.say(f"Kept the {report.kept} weights: {report.reason}")

    def _scope(self) -> str:
        """Return the folder of the predictor, whose fits log each kind of sentence once."""
        return str(self.path).partition(f"{os.sep}models{os.sep}")[0]

    def _predict_proba(self, X: pd.DataFrame, **kwargs: Any) -> Matrix:
        with _memory_errors():
            probabilities = self.model.predict_proba(self.preprocess(X, **kwargs))
        # A fold's rows may lack a class, and a backbone has an order of its own.
        everywhere = np.zeros((len(X), self.num_classes))
        everywhere[:, self.model.classes.astype("int64")] = probabilities
        unified: Matrix = self._convert_proba_to_unified_form(everywhere)
        return unified

    def save(self, path: str | None = None, verbose: bool = True) -> str:
        """Save the model, and its fit report as JSON beside it; a fold of a refit has only that."""
        path = str(super().save(path=path, verbose=verbose))
        if self._fit_report is not None:
            self.fit_report.write(Path(path) / REPORT_FILE)
        return path

    def get_info(self, include_feature_metadata: bool = True) -> dict[str, Any]:
        """Return AutoGluon's facts of the model and the fit report."""
        info: dict[str, Any] = super().get_info(include_feature_metadata=include_feature_metadata)
        return info | {"fit_report": self._fit_report}

    def export_weights(self, path: str | Path) -> None:
        """Write the fine-tuned network in the format of its family; the pretrained, if that is all.

        A prediction of this model also has the pretrained network's say, see `fit_report.share`.
        The classifier of its family reads it: see the page on backbones.

        Parameters
        ----------
        path : str or Path
            Ends in ``.safetensors``, of `tabicl` in ``.ckpt``, of `mitra` a folder; is replaced.

        Raises
        ------
        BackboneError
            The backbone has no format for other software.
        ConfigError
            The name of the file does not suit the format.
        """
        network = self.model.tuned if isinstance(self.model, Mixture) else self.model
        if not isinstance(network, Exportable):
            raise BackboneError(
                f"the backbone {self.model.facts.name!r} cannot export its weights; 'mini', "
                "'mitra', 'tabicl', 'tabpfn', 'tabpfn-v2' and 'tabpfn-checkpoint' can"
            )
        network.export_weights(path)

    def get_device(self) -> str:
        """Return where the network is."""
        return str(self.model.device)

    def _set_device(self, device: str) -> None:
        self.model.to(device)

    @classmethod
    def _class_tags(cls) -> dict[str, Any]:
        return {**super()._class_tags(), "reset_torch_threads": True}

    @classmethod
    def _estimate_memory_usage_static(
        cls,
        *,
        X: pd.DataFrame,
        hyperparameters: Mapping[str, Any] | None = None,
        **kwargs: Any,  # noqa: ARG003  what else AutoGluon knows
    ) -> int:
        named = _without_spaces(hyperparameters or {})
        options = Hyperparameters.parse(
            {name: named[name] for name in ("backbone", "finetune") if name in named}
        )
        backbone = plugin_registry().of(Backbone).create(options.backbone)
        rows, columns = int(len(X) * ROWS_PER_EPISODE), X.shape[1]
        tuning = backbone.memory(rows, columns, tuning=True) if options.finetune else 0.0
        return int(IMPORTS + backbone.memory(rows, columns, tuning=False) + tuning)

    @classmethod
    def _estimate_gpu_memory_usage_static(cls, *, X: pd.DataFrame, **kwargs: Any) -> int:
        return cls._estimate_memory_usage_static(X=X, **kwargs)

    @classmethod
    def _get_default_ag_args(cls) -> dict[str, Any]:
        # Without its "problem_types", by which AutoGluon leaves models out without a word: the
        # auxiliary parameter of that name does so with a line in the log.
        return {}

    def _more_tags(self) -> dict[str, Any]:
        return {"can_refit_full": True}


def register() -> None:
    """Make the key ``"CAUSALMIX"`` known to AutoGluon; a second call does nothing.

    Importing this module calls it, which importing AutoGluon does where this package has been
    imported. Name it as ray's ``worker_process_setup_hook`` where a worker must know the key.
    """
    if not ag_model_registry.exists(CausalMixModel):
        ag_model_registry.add(CausalMixModel)


def _without_spaces(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return hyperparameters without search spaces, which are checked once drawn from."""
    return {name: value for name, value in params.items() if not isinstance(value, Space)}


def _labelled(features: pd.DataFrame, labels: pd.Series, target: Hashable) -> pd.DataFrame:
    labelled = features.copy()
    labelled[target] = labels.to_numpy()
    return labelled


@contextmanager
def _memory_errors() -> Iterator[None]:
    """Turn any allocator's error into AutoGluon's own, which skips the model and says why."""
    try:
        yield
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        raise NotEnoughMemoryError(f"CausalMix ran out of memory: {error}") from error


register()
