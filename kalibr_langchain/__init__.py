"""Kalibr for LangChain: `ChatKalibr`, a chat model that routes each of its calls, and
`KalibrCallbackHandler`, which tells it what users did with the answers.

>>> from kalibr_langchain import ChatKalibr
"""

try:
    import langchain_core
    import langchain_openai
except ImportError as error:
    from kalibr_core.installing import command

    raise ImportError(f"kalibr_langchain needs LangChain: {command('langchain')}") from error

from .buttons import feedback_buttons
from .chat_model import ChatKalibr
from .events import ATTEMPT_FAILED
from .feedback import report, report_action
from .handler import KalibrCallbackHandler
from .judge import judged_by

del langchain_core, langchain_openai


__all__ = [
    "ATTEMPT_FAILED",
    "ChatKalibr",
    "KalibrCallbackHandler",
    "feedback_buttons",
    "judged_by",
    "report",
    "report_action",
]
