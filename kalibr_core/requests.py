"""What the caller asks for -> the request that routing sees, and the client's arguments."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from .errors import ConfigError
from .features import features_of, last_text
from .options import checked_call
from .types import Request

if TYPE_CHECKING:
    from openai.types.chat import ChatCompletion
    from pydantic import BaseModel

    from .types import Decision

ResponseFormat: TypeAlias = "Mapping[str, object] | type[BaseModel] | None"
"""OpenAI's own, or a pydantic model that the answer is parsed into."""

Messages: TypeAlias = "Sequence[Mapping[str, object]]"
"""In OpenAI's format."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One call as the caller asked for it."""

    request: Request
    arguments: Mapping[str, object]
    """For the client: messages and parameters, without what a path adds."""
    model: type[BaseModel] | None
    """What the answer is parsed into."""
    shows_usage: bool
    """Does the caller want the chunk with the usage? It has no choices, and surprises others."""

    def answered(self, answer: ChatCompletion, decision: Decision) -> ChatCompletion:
        """Hang the decision on the answer, and the parsed model on its message."""
        # Past pydantic, which would write it, and the path's key with it, into every dump.
        object.__setattr__(answer, "kalibr", decision)
        if self.model is not None:
            message = answer.choices[0].message
            parsed = None
            if decision.verified and message.content:
                parsed = self.model.model_validate_json(message.content)
            message.parsed = parsed  # type: ignore[attr-defined]  # the client's models take extras
        return answer


def asked_of(
    messages: Messages,
    session_id: str | None,
    response_format: ResponseFormat,
    params: dict[str, object],
) -> Asked:
    """Check and translate one call's arguments.

    Raises:
        ConfigError: something that a routed call does not take, or an invalid schema.
    """
    checked_call(messages, params)
    if session_id is not None and not isinstance(session_id, str):
        raise ConfigError(f"session_id must be a string, got {type(session_id).__name__}")
    wanted, model = _format_of(response_format)
    options = params.pop("stream_options", None)
    arguments = {"messages": messages, **params}
    if wanted is not None:
        arguments["response_format"] = wanted
    return Asked(
        request=_request(messages, session_id, wanted, model, params),
        arguments=arguments,
        model=model,
        shows_usage=isinstance(options, Mapping) and bool(options.get("include_usage")),
    )


def _request(
    messages: Messages,
    session_id: str | None,
    wanted: Mapping[str, object] | None,
    model: type[BaseModel] | None,
    params: Mapping[str, object],
) -> Request:
    tools = params.get("tools") or ()
    if not isinstance(tools, Sequence) or isinstance(tools, str):
        raise ConfigError(f"tools must be a list of tool definitions, got {type(tools).__name__}")
    most = params.get("max_completion_tokens") or params.get("max_tokens")
    return Request(
        prompt=last_text(messages),
        tools=tools,
        response_format=wanted,
        max_output_tokens=most if isinstance(most, int) else None,
        parse=_parser(model),
        features=features_of(
            messages, tools=len(tools), schema=wanted is not None, session=session_id
        ),
    )


def _parser(model: type[BaseModel] | None) -> Callable[[str], object] | None:
    """The model's own validators may ask for more than its schema can say."""
    return None if model is None else model.model_validate_json


def _format_of(
    wanted: ResponseFormat,
) -> tuple[Mapping[str, object] | None, type[BaseModel] | None]:
    if wanted is None:
        return None, None
    if isinstance(wanted, Mapping):
        from .gates.structural import check_response_format  # as in the router

        if not isinstance(wanted.get("type"), str):
            raise ConfigError(
                'response_format has no type; write {"type": "json_object"} or '
                '{"type": "json_schema", "json_schema": {"name": ..., "schema": {...}}}'
            )
        check_response_format(wanted)
        return wanted, None
    if isinstance(wanted, type) and hasattr(wanted, "model_json_schema"):
        schema = {"name": wanted.__name__, "schema": wanted.model_json_schema()}
        return {"type": "json_schema", "json_schema": schema}, wanted
    raise ConfigError(
        f"response_format must be a dict in OpenAI's form or a pydantic model, got {wanted!r}"
    )
