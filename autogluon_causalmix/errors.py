"""Everything this package raises on purpose.

::

    CausalMixError
    ├── ConfigError(ValueError)          an option is unknown, of the wrong type or out of range
    ├── TableError(ValueError)           a table cannot be used: the message names the column
    ├── PluginError
    │   ├── UnknownPlugin(LookupError)   no plugin of that name
    │   ├── NameTaken(ValueError)        two plugins claim one name
    │   ├── GeneratorError(RuntimeError) a generator raised, or broke the contract of its rows
    │   │   └── TooRare                  it draws hardly any rows of the kind that is asked for
    │   ├── DiscovererError(RuntimeError)   a discoverer raised, or broke that of its beliefs
    │   ├── BackboneError(RuntimeError)     a backbone raised, or broke that of its model
    │   └── MetricError(RuntimeError)       a metric raised, or its value is out of its bounds
    ├── CheckpointError(ValueError)      a weights or report file is cut short, foreign or hostile
    ├── NotApplicable(ValueError)        a metric has no value on these tables
    └── OutOfTime(TimeoutError)          a stage outran its share of the time

Every message says who, what, and the way out. AutoGluon's own exceptions (time, memory) are raised
in `autogluon_causalmix.model` alone: ray carries only those it knows.
"""


class CausalMixError(Exception):
    """Base of all errors of this package; safe to show to the user as it is."""


class ConfigError(CausalMixError, ValueError):
    """A hyperparameter is unknown, of the wrong type or out of range."""


class TableError(CausalMixError, ValueError):
    """A table cannot be used; the message names the column and the way out."""


class PluginError(CausalMixError):
    """Something is wrong with a plugin; the message names its owner."""


class UnknownPlugin(PluginError, LookupError):
    """No plugin of that name; the message lists what exists and what failed to load."""


class NameTaken(PluginError, ValueError):
    """Two plugins claim one name; the message names both owners."""


class GeneratorError(PluginError, RuntimeError):
    """A generator raised, or returned rows that break the contract."""


class TooRare(GeneratorError):
    """A generator draws hardly any rows with the values that were asked for."""


class DiscovererError(PluginError, RuntimeError):
    """A discoverer raised, or returned beliefs that break the contract."""


class BackboneError(PluginError, RuntimeError):
    """A backbone raised, or returned a model that breaks the contract."""


class MetricError(PluginError, RuntimeError):
    """A metric raised, or its value is no finite number within its bounds."""


class NotApplicable(CausalMixError, ValueError):
    """A metric has no value on these tables; the message says why."""


class CheckpointError(CausalMixError, ValueError):
    """A file of weights or a report is cut short, foreign or hostile."""


class OutOfTime(CausalMixError, TimeoutError):
    """A stage outran its share of the time."""


def remedy(error: BaseException) -> str:
    """Return what to do about an error of a plugin, empty where the message has to suffice.

    Examples
    --------
    >>> remedy(ModuleNotFoundError("No module named 'imblearn'", name="imblearn"))
    "; install what provides 'imblearn', or uninstall the plugin"
    >>> remedy(ValueError("3 is too many"))
    ''
    """
    if isinstance(error, ModuleNotFoundError) and error.name:
        return f"; install what provides {error.name!r}, or uninstall the plugin"
    return ""
