"""Names for the arrays that go from room to room; docstrings give their shapes."""

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float64]
"""Floats: values, probabilities, losses."""

Indices = npt.NDArray[np.int64]
"""Positions of rows or columns, and codes of categories."""

Mask = npt.NDArray[np.bool_]
"""Which cells, rows or edges."""

Adjacency = npt.NDArray[np.bool_]
"""Edges, shape (columns, columns): entry [i, j] for i → j; symmetric if edges have no direction."""

Marks = npt.NDArray[np.int64]
"""Ends of edges, shape (columns, columns): [i, j] is the mark at i of the edge between i and j.

0 no edge, −1 tail, 1 arrowhead, 2 circle.
"""
