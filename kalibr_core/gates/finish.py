"""What the provider itself says about an answer's end."""

from __future__ import annotations

from ..types import Output, Request
from .reasons import Reason

ENDINGS = {
    "length": Reason.TRUNCATED,
    "max_tokens": Reason.TRUNCATED,
    "max_output_tokens": Reason.TRUNCATED,
    "max_length": Reason.TRUNCATED,
    "model_length": Reason.TRUNCATED,
    "model_context_window_exceeded": Reason.TRUNCATED,
    "incomplete": Reason.TRUNCATED,
    "insufficient_system_resource": Reason.TRUNCATED,
    "abort": Reason.TRUNCATED,
    "content_filter": Reason.CONTENT_FILTER,
    "content_filtered": Reason.CONTENT_FILTER,
    "guardrail_intervened": Reason.CONTENT_FILTER,
    "safety": Reason.CONTENT_FILTER,
    "recitation": Reason.CONTENT_FILTER,
    "blocklist": Reason.CONTENT_FILTER,
    "prohibited_content": Reason.CONTENT_FILTER,
    "spii": Reason.CONTENT_FILTER,
    "refusal": Reason.REFUSAL,
    "error": Reason.ERROR_TEXT,
    "malformed_function_call": Reason.TOOL_CALL,
    "unexpected_tool_call": Reason.TOOL_CALL,
}
"""Every provider's bad endings, case-folded. Other words (`stop`, `end_turn`) tell nothing."""
LABEL_TOKENS = 8
FEW_TOKENS = 32
"""No text of so few tokens is whole but by chance: who asks for them wants a word or two."""


def bad_ending(request: Request, output: Output, task: str) -> Reason | None:
    """The fault that the finish reason tells of, if any."""
    if not output.finish_reason:
        return None
    reason = ENDINGS.get(output.finish_reason.rpartition(".")[2].casefold())
    if reason is Reason.TRUNCATED and _is_cut_on_purpose(request, task):
        return None
    return reason


def _is_cut_on_purpose(request: Request, task: str) -> bool:
    """Callers that ask for a few tokens get `length` on every good answer."""
    limit = request.max_output_tokens
    if limit is None or request.response_format is not None:
        return False
    return limit <= (LABEL_TOKENS if task == "extraction" else FEW_TOKENS)
