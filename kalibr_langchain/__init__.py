"""Kalibr for LangChain: `ChatKalibr`, a chat model that routes each of its calls.

>>> from kalibr_langchain import ChatKalibr
"""

try:
    import langchain_core
    import langchain_openai
except ImportError as error:
    raise ImportError(
        "kalibr_langchain needs LangChain: pip install 'kalibr-core[langchain]'"
    ) from error

from .chat_model import ChatKalibr
from .events import ATTEMPT_FAILED
from .feedback import report
from .judge import judged_by

del langchain_core, langchain_openai


__all__ = ["ATTEMPT_FAILED", "ChatKalibr", "judged_by", "report"]
