"""Benchmarks over real HTTP: the loopback provider, resilience, overhead."""
