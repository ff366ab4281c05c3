"""How much memory passes of a backbone take, measured in a process of its own."""

import gc
import multiprocessing
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import numpy as np
import pandas as pd
import psutil

from autogluon_causalmix.backbones.contract import condition
from autogluon_causalmix.backbones.protocol import Backbone
from autogluon_causalmix.finetuning.loop import fine_tune
from autogluon_causalmix.finetuning.recipe import Recipe
from autogluon_causalmix.finetuning.rows import RowSets, encode_sets
from autogluon_causalmix.resources import Resources
from autogluon_causalmix.table import Table
from autogluon_causalmix.testing.checks import AMPLE, OWNER

EVERY = 0.002
"""Seconds between two looks at the memory of the process."""


def memory_used(backbone: Backbone, rows: int, columns: int) -> tuple[float, float]:
    """Return the bytes that a prediction and a step of fine-tuning take, on the CPU.

    In a new process, beyond the libraries, which a pass over a few rows has loaded before. The
    weights of the network count.

    Parameters
    ----------
    backbone : Backbone
        Must survive pickling.
    rows, columns : int
        Of a table of noise, context and query together.

    Examples
    --------
    >>> from autogluon_causalmix.backbones.tabpfn import Mini
    >>> predicting, tuning = memory_used(Mini(), 200, 5)
    >>> predicting < tuning < 1e9
    True
    """
    spawned = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawned) as pool:
        return pool.submit(_measure, backbone, rows, columns).result()


def _measure(backbone: Backbone, rows: int, columns: int) -> tuple[float, float]:
    passes = (_predict, _tune)  # the larger one last: it may use again what the other has freed
    few, table = _noise(20, columns), _noise(rows, columns)
    for each in passes:
        each(backbone, few)
    gc.collect()
    before = psutil.Process().memory_info().rss
    predicting, tuning = (_peak(partial(each, backbone, table)) for each in passes)
    return predicting - before, tuning - before


def _predict(backbone: Backbone, table: Table) -> None:
    half = len(table) // 2
    context = table.take(np.arange(half))
    model = condition(backbone, context, n_estimators=1, device="cpu", seed=0, owner=OWNER)
    model.predict_proba(table.features.iloc[half:])


def _tune(backbone: Backbone, table: Table) -> None:
    model = condition(backbone, table, n_estimators=1, device="cpu", seed=0, owner=OWNER)
    rows, rng = encode_sets(model, RowSets(table)), np.random.default_rng(0)
    fine_tune(model, rows, table.task, Recipe(2, 1e-4), rng, Resources(AMPLE))


def _noise(rows: int, columns: int) -> Table:
    drawn = np.random.default_rng(0).normal(size=(rows, columns))
    frame = pd.DataFrame(drawn, columns=[f"x{i}" for i in range(columns)])
    return Table.from_frame(frame.assign(label=np.arange(rows) % 2 == 0), "label")


def _peak(work: Callable[[], None]) -> float:
    """Return the most bytes that the process holds while it works."""
    process, ended = psutil.Process(), threading.Event()
    seen: list[int] = [process.memory_info().rss]

    def watch() -> None:
        while not ended.wait(EVERY):
            seen.append(process.memory_info().rss)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        work()
    finally:
        ended.set()
        watcher.join()
    return max(seen)
