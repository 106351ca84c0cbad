"""Kalibr for LlamaIndex: `KalibrLLM`, an LLM that routes each of its calls.

>>> from kalibr_llama_index import KalibrLLM
"""

try:
    import llama_index.core
    import llama_index.llms.openai
except ImportError as error:
    from kalibr_core.installing import command

    raise ImportError(f"kalibr_llama_index needs LlamaIndex: {command('llama-index')}") from error

from .events import AttemptFailedEvent, DecisionEvent
from .feedback import report, report_action
from .handler import KalibrEventHandler, Run
from .judge import judged_by
from .llm import KalibrLLM

del llama_index


__all__ = [
    "AttemptFailedEvent",
    "DecisionEvent",
    "KalibrEventHandler",
    "KalibrLLM",
    "Run",
    "judged_by",
    "report",
    "report_action",
]
