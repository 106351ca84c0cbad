"""The policies that are compared."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType

from kalibr_bench.policies import peers
from kalibr_bench.policies.bounds import UCB1, DiscountedUCB, KlUCB, TrackAndStop
from kalibr_bench.policies.changes import ChangePoint, GlrKlUCB
from kalibr_bench.policies.drive import MakePolicy, MakeTwin
from kalibr_bench.policies.simple import EPSILON, Fixed, Greedy, Oracle, Uniform
from kalibr_bench.policies.thompson import HISTORY, DiscountedWindow, Thompson, Windowed
from kalibr_core.bandit import FixedPolicy, RunLengthPolicy, ThompsonPolicy, UniformPolicy

OURS = "kalibr"
ORACLE = "oracle"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """A policy as numpy (`twin`), or as an object of the core's protocol (`policy`).

    Attributes:
        name: As the tables show it.
        about: One line.
        published: It counts for "best published".
        named: Only run when it is asked for by name: other libraries are slow.
        installed: Whether it can be run here.
    """

    name: str
    about: str
    twin: MakeTwin | None = None
    policy: MakePolicy | None = None
    published: bool = True
    named: bool = False
    installed: Callable[[], bool] = lambda: True


Ruler = partial(Contender, published=False)
Named = partial(Contender, published=False, named=True)
_FADING = partial(Thompson, gamma=0.999)

_ALL = (
    Ruler(name=OURS, about="RunLengthPolicy, as the Router uses it", policy=RunLengthPolicy),
    Contender(name="change-point", about="Thompson on run lengths (BOCPD)", twin=ChangePoint),
    Contender(
        name="cp-subsidy",
        about="change-point, the cheapest arm within the margin",
        twin=partial(ChangePoint, subsidy=True),
    ),
    Contender(name="glr-kl-ucb", about="kl-UCB with a test for change", twin=GlrKlUCB),
    Contender(
        name="f-dsw",
        about=f"Thompson, the less of a discounted ({HISTORY}) and a hot draw",
        twin=DiscountedWindow,
    ),
    Contender(name="kl-ucb", about="upper bounds by Chernoff", twin=KlUCB),
    Contender(name="thompson", about="Thompson sampling", twin=Thompson),
    Contender(
        name="ts-.9999", about="Thompson, discounted by .9999", twin=partial(Thompson, gamma=0.9999)
    ),
    Contender(name="ts-.999", about="Thompson, discounted by .999", twin=_FADING),
    Contender(
        name="ts-.99", about="Thompson, discounted by .99", twin=partial(Thompson, gamma=0.99)
    ),
    Contender(name="ts-window", about="Thompson on the last 1000 calls", twin=Windowed),
    Contender(
        name="subsidy",
        about="Thompson, the cheapest arm within the margin",
        twin=partial(Thompson, subsidy=True),
    ),
    Contender(
        name="subsidy-.999",
        about="the same, discounted by .999",
        twin=partial(_FADING, subsidy=True),
    ),
    Contender(name="ucb1", about="upper bounds by Hoeffding", twin=UCB1),
    Contender(name="d-ucb", about="UCB, discounted by .999", twin=DiscountedUCB),
    Contender(name="track-stop", about="best-arm identification, then stays", twin=TrackAndStop),
    Contender(
        name="eps-greedy",
        about="the best mean, a tenth of the calls anywhere",
        twin=partial(Greedy, epsilon=EPSILON),
    ),
    Contender(name="greedy", about="the best mean", twin=Greedy),
    Ruler(name="fixed", about="always the first arm", twin=Fixed),
    Ruler(name="uniform", about="any arm", twin=Uniform),
    Ruler(name=ORACLE, about="knows the world", twin=Oracle),
    Named(
        name="mabwiser",
        about="MABWiser's Thompson sampling",
        policy=peers.MabWiser,
        installed=partial(peers.installed, "mabwiser"),
    ),
    Named(
        name="river",
        about="River's Thompson sampling",
        policy=peers.River,
        installed=partial(peers.installed, "river"),
    ),
    Named(name="core-thompson", about="the core's ThompsonPolicy", policy=ThompsonPolicy),
    Named(name="core-uniform", about="the core's UniformPolicy", policy=UniformPolicy),
    Named(name="core-fixed", about="the core's FixedPolicy", policy=FixedPolicy),
)
CONTENDERS: Mapping[str, Contender] = MappingProxyType({one.name: one for one in _ALL})


def standard() -> tuple[str, ...]:
    """The policies of a run that names none."""
    return tuple(one.name for one in _ALL if not one.named)
