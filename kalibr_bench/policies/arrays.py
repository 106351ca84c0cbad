"""Names for numpy's arrays."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]
Choices: TypeAlias = NDArray[np.uint8]
"""Arms' indices, small: a run of a million calls is kept whole."""
Bools: TypeAlias = NDArray[np.bool_]
