"""`Leaves`: the leaves of a forest, pruned until each holds enough real rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Leaves:
    """T trees over N real rows, their nodes numbered consecutively.

    Attributes
    ----------
    parent, left, right : arrays, shape (nodes,)
        Neighbours of each node; −1 where there is none.
    feature, threshold, missing_left : arrays, shape (nodes,)
        The split of each inner node: rows with a value up to the threshold go left.
    roots : array, shape (T,)
        The root of each tree.
    reached : array, shape (T, N)
        The leaf of each real row in each tree.
    members : array, shape (T N,)
        Real rows, those of one leaf side by side.
    start, count : arrays, shape (nodes,)
        Where the rows of a leaf begin in `members`, and how many there are.
    """

    parent: Indices
    left: Indices
    right: Indices
    feature: Indices
    threshold: Matrix
    missing_left: npt.NDArray[np.bool_]
    roots: Indices
    reached: Indices
    members: Indices
    start: Indices
    count: Indices

    @classmethod
    def of(cls, trees: Sequence[Any], rows: Matrix, fewest: int) -> "Leaves":
        """Return the leaves of scikit-learn's `trees` that hold at least `fewest` real rows.

        Parameters
        ----------
        trees : sequence of sklearn.tree._tree.Tree
            The trees of a forest.
        rows : array, shape (N, columns)
            The real rows, as the forest gets them; NaN where a cell is missing.
        fewest : int
            A leaf with fewer of them is removed with the split above it. Its rows go down the other
            side of that split; if that is such a leaf, too, the split becomes one.
        """
        offsets = np.cumsum([0, *(tree.node_count for tree in trees)])[:-1]
        nodes = _Nodes.of(trees, offsets)
        nodes.prune(np.bincount(nodes.walk(rows).ravel(), minlength=len(nodes.parent)) < fewest)
        reached = nodes.walk(rows)
        count = np.bincount(reached.ravel(), minlength=len(nodes.parent))
        members = np.argsort(reached, axis=None, kind="stable") % len(rows)
        return cls(
            nodes.parent,
            nodes.left,
            nodes.right,
            nodes.feature,
            nodes.threshold,
            nodes.missing_left,
            nodes.roots,
            reached,
            members,
            np.cumsum(count) - count,
            count,
        )

    def draw(self, n_rows: int, rng: np.random.Generator) -> Indices:
        """Draw a tree, then one of its leaves by its share of real rows; shape (n_rows,)."""
        tree = rng.integers(self.reached.shape[0], size=n_rows)
        leaves: Indices = self.reached[tree, rng.integers(self.reached.shape[1], size=n_rows)]
        return leaves

    def cells(self, leaves: Indices, n_columns: int, rng: np.random.Generator) -> Indices:
        """Draw, for each column of each row, one of the real rows of the row's leaf."""
        place = rng.random((len(leaves), n_columns)) * self.count[leaves, None]
        rows: Indices = self.members[self.start[leaves, None] + place.astype("int64")]
        return rows

    def bounds(self, leaves: Indices, widest: Matrix) -> tuple[Matrix, Matrix]:
        """Return the least and largest value that each column can have in each of some leaves.

        Parameters
        ----------
        leaves : array, shape (L,)
            Some leaves.
        widest : array, shape (2, columns)
            The bounds of the whole table.

        Returns
        -------
        low, high : arrays, shape (L, columns)
            In the units of the thresholds.
        """
        low, high = (np.tile(bound, (len(leaves), 1)) for bound in widest)
        below, row = leaves, np.arange(len(leaves))
        while len(row):
            above = self.parent[below]
            row, below, above = row[above >= 0], below[above >= 0], above[above >= 0]
            feature, threshold = self.feature[above], self.threshold[above]
            is_left = self.left[above] == below
            place = row[is_left], feature[is_left]
            high[place] = np.minimum(high[place], threshold[is_left])
            place = row[~is_left], feature[~is_left]
            low[place] = np.maximum(low[place], threshold[~is_left])
            below = above
        return low, high

    def moments(self, leaves: Indices, values: Matrix) -> tuple[Matrix, Matrix]:
        """Return mean and standard deviation of the real values of different leaves, (L, columns).

        The deviation is 0 where a leaf has fewer than two values of a column.
        """
        size = self.count[leaves]
        first = np.cumsum(size) - size
        entries = np.arange(size.sum()) + np.repeat(self.start[leaves] - first, size)
        own = values[self.members[entries]]
        present = ~np.isnan(own)
        n = np.add.reduceat(present.astype("int64"), first)
        mean = np.add.reduceat(np.where(present, own, 0.0), first) / np.maximum(n, 1)
        squares = np.where(present, (own - np.repeat(mean, size, axis=0)) ** 2, 0.0)
        return mean, np.sqrt(np.add.reduceat(squares, first) / np.maximum(n - 1, 1))


@dataclass
class _Nodes:
    """The nodes of all trees, while small leaves are removed; attributes as in `Leaves`."""

    parent: Indices
    left: Indices
    right: Indices
    feature: Indices
    threshold: Matrix
    missing_left: npt.NDArray[np.bool_]
    roots: Indices

    @classmethod
    def of(cls, trees: Sequence[Any], offsets: Indices) -> "_Nodes":
        """Give the nodes of all trees consecutive numbers."""
        shift = np.repeat(offsets, [tree.node_count for tree in trees])

        def all_of(name: str) -> npt.NDArray[Any]:
            return np.concatenate([getattr(tree, name) for tree in trees])

        left, right = (
            np.where(child < 0, -1, child + shift).astype("int64")
            for child in (all_of("children_left"), all_of("children_right"))
        )
        parent = np.full(len(left), -1)
        for child in (left, right):
            parent[child[child >= 0]] = np.flatnonzero(child >= 0)
        missing_left = all_of("missing_go_to_left").astype("bool")
        feature, threshold = all_of("feature").astype("int64"), all_of("threshold")
        return cls(parent, left, right, feature, threshold, missing_left, offsets.copy())

    def walk(self, rows: Matrix) -> Indices:
        """Return the leaf of each row in each tree, shape (T, rows)."""
        node = np.repeat(self.roots[:, None], len(rows), axis=1)
        tree, row = np.indices(node.shape).reshape(2, -1)
        while len(row):
            at = node[tree, row]
            inner = self.left[at] >= 0
            tree, row, at = tree[inner], row[inner], at[inner]
            value = rows[row, self.feature[at]]
            is_left = np.where(np.isnan(value), self.missing_left[at], value <= self.threshold[at])
            node[tree, row] = np.where(is_left, self.left[at], self.right[at])
        return node

    def prune(self, small: npt.NDArray[np.bool_]) -> None:
        """Remove the leaves of a mask over the nodes, but no root; the mask is used up."""
        left = np.flatnonzero((self.left < 0) & (self.parent >= 0) & small).tolist()
        small[self.left >= 0] = False
        while left:
            leaf = left.pop()
            split = self.parent[leaf]
            if split < 0:
                continue
            other = self.right[split] if self.left[split] == leaf else self.left[split]
            if small[other]:
                self.parent[[leaf, other]] = self.left[split] = self.right[split] = -1
                small[split] = True
                left.append(split)
            else:
                self._replace(split, other)
                self.parent[leaf] = -1

    def _replace(self, split: int, other: int) -> None:
        """Put one child of a split in the place of the split."""
        above = self.parent[split]
        self.parent[other] = above
        if above < 0:
            self.roots[self.roots == split] = other
        else:
            side = self.left if self.left[above] == split else self.right
            side[above] = other
