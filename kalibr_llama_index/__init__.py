"""LlamaIndex adapter of Kalibr: `KalibrLLM` will live here. Nothing is public yet."""

__all__: list[str] = []
