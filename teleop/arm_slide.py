# SPDX-License-Identifier: Apache-2.0
"""A step of an arm's joints beside what is in its way: what leads along it stays, what leads into it goes."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

ROUNDS = 12
"""Each obstacle in turn, so many times: where two meet at an angle, both are kept then, or nearly."""


def slid(step: Array, rows: Array, least: Array, lower: Array, upper: Array) -> Array:
    """The step (n,) [rad] nearest to a wanted one that, to first order, meets rows @ step >= least, inside a box.

    Dykstra's projections in turn (Boyle and Dykstra 1986), which remember what each one has added; the box comes last.

    Args:
        step: wanted (n,) [rad].
        rows: (k, n) growth of k distances with every joint [m/rad]. least: (k,) of that growth [m].
        lower, upper: (n,) of the step [rad].
    """
    squares = np.maximum((rows * rows).sum(axis=1), 1e-6)
    pushed, cut = np.zeros(len(rows)), np.zeros(len(step))
    for _ in range(ROUNDS if len(rows) else 1):
        for k, row in enumerate(rows):
            push = max(0.0, pushed[k] + (least[k] - float(row @ step)) / squares[k])
            step = step + (push - pushed[k]) * row
            pushed[k] = push
        wanted = step + cut
        step = np.minimum(np.maximum(wanted, lower), upper)
        cut = wanted - step
    return step
