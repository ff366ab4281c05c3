"""`connect_label`: add an edge between the target and every column that depends on it."""

from dataclasses import replace

import numpy as np

from autogluon_causalmix.arrays import Indices
from autogluon_causalmix.discovery.beliefs import EdgeBeliefs
from autogluon_causalmix.discovery.independence.degenerate_gaussian import DegenerateGaussian
from autogluon_causalmix.table import Table


def connect_label(beliefs: EdgeBeliefs, table: Table, alpha: float = 0.05) -> EdgeBeliefs:
    """Add an edge between the target and every column that depends on it.

    In small tables, tests separate the target from columns that each predict it weakly, and rows
    drawn from such a graph lose what these columns predict together. An edge goes from the target
    to the column (an augmented naive Bayes network: Friedman, Geiger and Goldszmidt, 1997), or the
    other way where the first is forbidden. Graphs drawn from the beliefs turn edges that would
    close a cycle.

    Parameters
    ----------
    beliefs : EdgeBeliefs
        The discovered edges, which stay as they are.
    table : Table
        The rows that are tested.
    alpha : float
        Columns whose independence of the target has a p-value below it depend on the target.
    """
    target, dependent = table.target_position, _dependent_columns(table, alpha)
    graphs = beliefs.graphs.copy()
    allowed = beliefs.constraints.allowed
    for graph in graphs:
        free = dependent[(graph[target, dependent] + graph[dependent, target]) == 0]
        graph[target, free] = np.where(allowed[target, free], 1.0, 0.0)
        graph[free, target] = np.where(allowed[free, target] & ~allowed[target, free], 1.0, 0.0)
    return replace(beliefs, graphs=graphs)


def _dependent_columns(table: Table, alpha: float) -> Indices:
    """Return the positions of the columns that are not independent of the target."""
    codes = [position for position, column in enumerate(table.columns) if column.is_categorical]
    target = table.target_position
    others = np.array([position for position in range(len(table.columns)) if position != target])
    p = DegenerateGaussian.of(table.encode(), codes).p_values(
        np.full(len(others), target), others, np.empty((len(others), 0), dtype=np.int64)
    )
    return np.asarray(others[p < alpha])
