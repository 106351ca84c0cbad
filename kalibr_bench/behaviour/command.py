"""`kalibr bench behaviour`: what is printed."""

from __future__ import annotations

from collections.abc import Iterator

from kalibr_bench.behaviour.reading import Reading, read, read_written
from kalibr_bench.behaviour.shares import CASES, shares
from kalibr_bench.users import KNOWN, UNKNOWN, summary, table


def command(count: int, *, seed: int, calls: int, runs: int) -> Iterator[str]:
    """Paragraphs, each as it is ready.

    Args:
        count: sessions of each population.
        calls: of each run of the routing part.
        runs: seeds of the routing part, from `seed` on; 0: leave it out.
    """
    populations = (
        (f"{', '.join(KNOWN)}", KNOWN, False),
        (f"{', '.join(KNOWN)}, in phrases kept back from tuning", KNOWN, True),
        (f"languages whose words are not read: {', '.join(UNKNOWN)}", UNKNOWN, False),
    )
    for name, languages, held_out in populations:
        found = read(count, seed=seed, languages=languages, held_out=held_out)
        yield told(f"{count} sessions, seed {seed}: {name}", found)
    for held_out in (False, True):
        by_hand = read_written(held_out=held_out)
        kept = "kept back from" if held_out else "seen in"
        title = f"sessions written one by one, in 12 languages, {kept} tuning"
        yield f"{by_hand.total.sessions} {title}\n{summary(by_hand)}"
    if runs:
        seeds = range(seed, seed + runs)
        lines = [f"share of the second path, by fifths of {calls} calls; mean of {runs} runs"]
        for case in CASES:
            fifths = shares(case, calls=calls, seeds=seeds).fifths
            lines.append(f"{case.name:32}" + "  ".join(f"{share:4.0%}" for share in fifths))
        yield "\n".join(lines)


def told(title: str, found: Reading) -> str:
    """A population's table and figures."""
    outputs = found.outputs
    accuracy = "none" if outputs.accuracy is None else f"{outputs.accuracy:.1%}"
    return "\n".join(
        [
            title,
            table(found.sessions),
            f"right, of signals whose output's truth is known: {accuracy} "
            f"({outputs.right} of {outputs.right + outputs.wrong}; {outputs.untold} unknown)",
        ]
    )
