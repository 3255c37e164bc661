"""Cheapest flow between named nodes: what the choice of relations reduces to."""

from collections.abc import Hashable

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_matrix

Pipe = tuple[Hashable, Hashable]


class Network:
    """Pipes between named nodes, each with a capacity and a cost per unit.

    >>> network = Network()
    >>> network.pipe("spring", "pool", 2, 0.0)
    >>> network.pipe("pool", "sea", 1, 1.0)
    >>> network.pipe("pool", "lake", 2, 5.0)
    >>> network.pipe("lake", "sea", 2, 0.0)
    >>> flow = network.run("spring", "sea", 10.0)
    >>> flow["pool", "sea"], flow["pool", "lake"]
    (1, 1)
    """

    def __init__(self) -> None:
        self._number: dict[Hashable, int] = {}
        self._pipes: dict[Pipe, tuple[int, float]] = {}

    def pipe(self, start: Hashable, end: Hashable, capacity: int, cost: float) -> None:
        """Add a pipe; a second one between the same nodes replaces it."""
        for node in (start, end):
            self._number.setdefault(node, len(self._number))
        self._pipes[start, end] = (capacity, cost)

    def run(self, source: Hashable, sink: Hashable, reward: float) -> dict[Pipe, int]:
        """Find the flow with the least cost.

        Parameters
        ----------
        source, sink
            Where flow enters and leaves.
        reward
            Gain per unit that arrives: above the cost of any way, all arrives that can.

        Returns
        -------
        Amount through each pipe. Capacities are whole numbers, and so are the amounts
        (the constraints of a flow are totally unimodular).
        """
        ends = np.array([[self._number[n] for n in pipe] for pipe in self._pipes])
        capacity, cost = np.array(list(self._pipes.values()), dtype=float).T
        cost = cost - reward * (ends[:, 0] == self._number[source])
        pipes = np.arange(len(ends))
        balance = csr_matrix(
            (
                np.repeat([1.0, -1.0], len(ends)),
                (np.concatenate([ends[:, 0], ends[:, 1]]), np.tile(pipes, 2)),
            ),
            shape=(len(self._number), len(ends)),
        )
        inner = [n for node, n in self._number.items() if node not in (source, sink)]
        solved = linprog(
            cost,
            A_eq=balance[inner],
            b_eq=np.zeros(len(inner)),
            bounds=np.column_stack([np.zeros(len(ends)), capacity]),
            method="highs-ds",
        )
        amounts = np.rint(solved.x).astype(int)
        assert np.allclose(amounts, solved.x, atol=1e-6), "a flow must be whole"
        return dict(zip(self._pipes, amounts.tolist(), strict=True))
