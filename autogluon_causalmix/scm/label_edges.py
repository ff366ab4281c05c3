"""`connect_label`: a direct edge between the target and every column that depends on it."""

from dataclasses import replace

import numpy as np

from autogluon_causalmix.discovery.beliefs import EdgeBeliefs
from autogluon_causalmix.discovery.independence.degenerate_gaussian import DegenerateGaussian
from autogluon_causalmix.table import Table


def connect_label(beliefs: EdgeBeliefs, table: Table, alpha: float = 0.05) -> EdgeBeliefs:
    """Add an edge from the target to every column that it is not independent of.

    In small tables, tests separate the target from columns that each tell a little of it, and rows drawn from such
    a graph lose what they tell together. Where target → column would close a cycle or is forbidden, the graph that
    is drawn has column → target (an augmented naive Bayes network: Friedman, Geiger and Goldszmidt, 1997).

    Parameters
    ----------
    beliefs : EdgeBeliefs
        What discovery found; its own edges stay as they are.
    table : Table
        The rows that decide who depends on the target.
    alpha : float
        Columns with a p-value below it do.
    """
    codes = [position for position, column in enumerate(table.columns) if column.is_categorical]
    test, target = DegenerateGaussian.of(table.encode(), codes), table.target_position
    others = np.array([position for position in range(len(table.columns)) if position != target])
    p = test.p_values(
        np.full(len(others), target), others, np.empty((len(others), 0), dtype=np.int64)
    )
    dependent = others[p < alpha]
    graphs = beliefs.graphs.copy()
    allowed = beliefs.constraints.allowed
    for graph in graphs:
        free = dependent[(graph[target, dependent] + graph[dependent, target]) == 0]
        graph[target, free] = np.where(allowed[target, free], 1.0, 0.0)
        graph[free, target] = np.where(allowed[free, target] & ~allowed[target, free], 1.0, 0.0)
    return replace(beliefs, graphs=graphs)
