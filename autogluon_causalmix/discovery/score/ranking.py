"""The order in which a column takes further parents: it decides walks along grow-shrink trees.

Import this module inside the functions that use it: it imports numba.
"""

from autogluon_causalmix.arrays import Indices, Matrix
from autogluon_causalmix.discovery.score.compiled import compiled


@compiled("i8(f8[::1], f8, i8[::1])")
def rank(gains: Matrix, least: float, ranked: Indices) -> int:
    """Write the columns with a gain, the best first, equal ones in order; return their number.

    Gains that differ by less than `least` are equal.
    """
    size = 0
    for column in range(len(gains)):
        gain = gains[column]
        if gain > 0.0:
            place = size
            while place > 0 and gains[ranked[place - 1]] < gain - least:
                ranked[place] = ranked[place - 1]
                place -= 1
            ranked[place] = column
            size += 1
    return size
