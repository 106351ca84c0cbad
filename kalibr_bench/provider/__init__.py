"""A loopback OpenAI-compatible provider: real HTTP on 127.0.0.1, seeded, with scripted faults."""

from kalibr_bench.provider.answer import Answer, ToolCall
from kalibr_bench.provider.conversation import Conversation, Player
from kalibr_bench.provider.fault import (
    CONTENT_FAULTS,
    FAULT_KINDS,
    HTTP_FAULTS,
    STREAM_FAULTS,
    TRANSPORT_FAULTS,
    Fault,
)
from kalibr_bench.provider.injection import INJECTION_KINDS, Degradation
from kalibr_bench.provider.loopback import LoopbackProvider
from kalibr_bench.provider.models import DEFAULT_MODELS, Model
from kalibr_bench.provider.stats import ModelStats, Received, Stats
from kalibr_bench.provider.tokens import count_tokens, tokens

__all__ = [
    "CONTENT_FAULTS",
    "DEFAULT_MODELS",
    "FAULT_KINDS",
    "HTTP_FAULTS",
    "INJECTION_KINDS",
    "STREAM_FAULTS",
    "TRANSPORT_FAULTS",
    "Answer",
    "Conversation",
    "Degradation",
    "Fault",
    "LoopbackProvider",
    "Model",
    "ModelStats",
    "Player",
    "Received",
    "Stats",
    "ToolCall",
    "count_tokens",
    "tokens",
]
