"""The border with plugins, which may raise anything: one error that says who."""

from collections.abc import Callable
from typing import TypeVar

from autogluon_causalmix.errors import (
    CheckpointError,
    ConfigError,
    NotApplicable,
    OutOfTime,
    PluginError,
    remedy,
)
from autogluon_causalmix.resources import is_out_of_memory

Returned = TypeVar("Returned")

NAMED = (CheckpointError, ConfigError, NotApplicable, OutOfTime, PluginError)
"""Errors that say who and what themselves, or that callers wait for."""


def call(step: Callable[[], Returned], label: str, error: type[PluginError]) -> Returned:
    """Return ``step()``, foreign code; what it raises becomes one error.

    Parameters
    ----------
    step : callable
        Takes nothing.
    label : str
        What is called, and whose it is.
    error : type
        Of the kind of plugin.

    Raises
    ------
    PluginError
        Of the given type, for every error but those in `NAMED` and want of memory, which callers
        answer.

    Examples
    --------
    >>> from autogluon_causalmix.errors import MetricError
    >>> call(lambda: 1 // 0, "Ratio.measure (mine 1.0)", MetricError)
    Traceback (most recent call last):
        ...
    autogluon_causalmix.errors.MetricError: Ratio.measure (mine 1.0) raised ZeroDivisionError: \
integer division or modulo by zero
    """
    try:
        return step()
    except NAMED:
        raise
    except (Exception, SystemExit) as raised:  # foreign code may raise anything
        if is_out_of_memory(raised):
            raise
        said = f"{label} raised {type(raised).__name__}: {raised}{remedy(raised)}"
        raise error(said) from raised
