"""LangChain adapter of Kalibr: `ChatKalibr` will live here. Nothing is public yet."""

__all__: list[str] = []
