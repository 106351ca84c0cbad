"""What routing costs: in process, over loopback HTTP, and in the policy alone."""

from kalibr_bench.overhead.measure import Overhead, measure

__all__ = ["Overhead", "measure"]
