"""What routing costs: in process, over loopback HTTP, in the policy alone, and in memory."""

from kalibr_bench.overhead.measure import Overhead, measure

__all__ = ["Overhead", "measure"]
