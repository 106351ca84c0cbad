"""Numbers for a JSON schema."""

from __future__ import annotations

import math

from kalibr_bench.provider.answers.merging import Schema, Unsatisfiable


def number_value(schema: Schema, hint: float, *, whole: bool) -> float:
    """The number nearest to a hint that satisfies a schema; an int where it is one."""
    least, most = _bounds(schema, whole=whole)
    step = schema.get("multipleOf") or (1 if whole else None)
    value = min(max(hint, least), most)
    if step is not None:
        value = _stepped(value, step, least, most)
    if not least <= value <= most or (whole and value != int(value)):
        raise Unsatisfiable(f"no such number in [{least}, {most}]")
    return int(value) if whole or float(value).is_integer() else value


def _bounds(schema: Schema, *, whole: bool) -> tuple[float, float]:
    """The least and the greatest number, both allowed; infinite if open."""
    least, most = schema.get("minimum", -math.inf), schema.get("maximum", math.inf)
    above, below = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
    if above is True:  # draft 4: a flag beside minimum
        above = least
    if below is True:
        below = most
    if isinstance(above, int | float) and above is not False:
        least = max(least, math.floor(above) + 1 if whole else math.nextafter(above, math.inf))
    if isinstance(below, int | float) and below is not False:
        most = min(most, math.ceil(below) - 1 if whole else math.nextafter(below, -math.inf))
    if not whole:
        return least, most
    return (
        math.ceil(least) if math.isfinite(least) else least,
        math.floor(most) if math.isfinite(most) else most,
    )


def _stepped(value: float, step: float, least: float, most: float) -> float:
    """A multiple of a step near a value and, if there is one, within the bounds."""
    near = math.floor(value / step)
    multiples = [step * times for times in range(near + 1, near - 9, -1)]
    within = [m for m in (value, *multiples) if least <= m <= most]
    exact = [m for m in within if (m / step).is_integer()]  # 3 * 0.1 is not
    close = [m for m in within if math.isclose(m / step, round(m / step), rel_tol=1e-9)]
    return next(iter([*exact, *close]), math.nan)
