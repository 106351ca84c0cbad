"""Kullback-Leibler divergence between Bernoulli laws, and the bounds that follow from it."""

from __future__ import annotations

import numpy as np

from kalibr_bench.policies.arrays import Floats

EDGE = 1e-12
TOP = 1.0 - 1e-15
STEPS = 3


def divergence(p: Floats, q: Floats) -> Floats:
    """kl(p, q) in nats, elementwise; p and q are kept off 0 and 1.

    >>> import numpy as np
    >>> float(divergence(np.array(0.5), np.array(0.5)))
    0.0
    """
    p, q = np.clip(p, EDGE, 1.0 - EDGE), np.clip(q, EDGE, 1.0 - EDGE)
    found: Floats = p * np.log(p / q) + (1.0 - p) * np.log((1.0 - p) / (1.0 - q))
    return found


def upper(means: Floats, allowed: Floats) -> Floats:
    """The greatest q >= means with kl(means, q) <= allowed, elementwise.

    Newton's method from above, where the convex divergence brings it down without a miss: it
    begins at the least of two bounds that follow from leaving one of the divergence's parts out.
    STEPS steps leave an error below 1e-3.
    """
    p = np.minimum(np.maximum(means, 1e-9), 1.0 - 1e-9)
    rest, floor = 1.0 - p, p + EDGE
    spent = p * np.log(p) + rest * np.log(rest) - allowed
    q = 1.0 - np.exp(np.maximum(spent / rest, -34.0))
    q = np.minimum(np.maximum(np.minimum(q, p + np.sqrt(0.5 * allowed)), floor), TOP)
    for _ in range(STEPS):
        other = 1.0 - q
        excess = spent - p * np.log(q) - rest * np.log(other)
        q = np.minimum(np.maximum(q - excess * q * other / (q - p), floor), TOP)
    found: Floats = q
    return found
