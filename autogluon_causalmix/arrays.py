"""Names for the arrays that go from room to room; docstrings give their shapes."""

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float64]
"""Floats: values, probabilities, losses."""

Indices = npt.NDArray[np.int64]
"""Positions of rows or columns, and codes of categories."""

Mask = npt.NDArray[np.bool_]
"""Which cells, rows or edges."""
