"""Answers in OpenAI's JSON shapes."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from kalibr_bench.provider.answer import Answer, ToolCall


def compact(value: object) -> bytes:
    """JSON without blanks, UTF-8."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode(
        "utf-8", "surrogatepass"
    )


def usage_body(*, prompt: int, completion: int, cached: int) -> dict[str, Any]:
    """The usage object; all in tokens."""
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": cached, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": 0,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def completion_body(
    head: dict[str, Any], answers: tuple[Answer, ...], usage: dict[str, Any] | None
) -> dict[str, Any]:
    """A ``chat.completion``; ``usage=None`` leaves the key out."""
    choices = [
        {
            "index": index,
            "message": _message(answer),
            "logprobs": None,
            "finish_reason": answer.finish,
        }
        for index, answer in enumerate(answers)
    ]
    body = head | {"object": "chat.completion", "choices": choices}
    return body if usage is None else body | {"usage": usage}


def head_of(*, id: str, created: int, model: str, fingerprint: str) -> dict[str, Any]:
    """The fields that a completion and each of its chunks share."""
    return {
        "id": id,
        "object": "chat.completion",
        "created": created,
        "model": model,
        "service_tier": "default",
        "system_fingerprint": fingerprint,
    }


def tool_call_body(call: ToolCall) -> dict[str, Any]:
    """A tool call of a message."""
    function = {"name": call.name, "arguments": call.arguments}
    return {"id": call.id, "type": "function", "function": function}


def _message(answer: Answer) -> dict[str, Any]:
    message: dict[str, Any] = {
        "role": "assistant",
        "content": answer.text,
        "refusal": answer.refusal,
        "annotations": [],
    }
    if answer.tool_calls:
        message["tool_calls"] = [tool_call_body(call) for call in answer.tool_calls]
    return message


@lru_cache(maxsize=65536)
def quoted(text: str) -> str:
    """A token as a JSON string; remembered, as streams repeat their tokens."""
    return json.dumps(text, ensure_ascii=False)
