"""What the caller asks for -> the request that routing sees, and the client's arguments."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING, TypeAlias

from .answers import choices_of
from .errors import ConfigError
from .features import besides, contents_of, features_of, inputs_of, last_text, text_of
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

    def shows(self, chunk: object) -> bool:
        """Does the caller get to see a stream's chunk?"""
        return self.shows_usage or bool(choices_of(chunk))

    def answered(self, answer: ChatCompletion, decision: Decision) -> ChatCompletion:
        """Hang the decision on the answer, and the parsed model on its message."""
        # Past pydantic, which would write it, and the path's key with it, into every dump.
        object.__setattr__(answer, "kalibr", decision)
        if self.model is not None:
            message = answer.choices[0].message
            text = "" if message.tool_calls else text_of(message.content)
            parsed = _parsed(self.model, text) if decision.verified and text else None
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
    for name in [name for name, value in params.items() if _is_absent(value)]:
        del params[name]
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
        conversation=partial(besides, list(messages)),  # the caller may go on with its own
        tools=tools,
        response_format=wanted,
        max_output_tokens=most if isinstance(most, int) else None,
        parse=_parser(model),
        takes=inputs_of(contents_of(messages)),
        features=features_of(
            messages, tools=len(tools), schema=wanted is not None, session=session_id
        ),
    )


def _parser(model: type[BaseModel] | None) -> Callable[[str], object] | None:
    """The model's own validators may ask for more than its schema can say."""
    return None if model is None else model.model_validate_json


def _parsed(model: type[BaseModel], text: str) -> BaseModel | None:
    """None where it is not the model's: the answer is paid for, and goes to the caller anyway."""
    try:
        return model.model_validate_json(text)
    except Exception:  # noqa: BLE001  # the model's own validators may raise anything
        return None


def _is_absent(value: object) -> bool:
    """Is it one of the client's words for "not given"? Told by name: importing it is slow."""
    return type(value).__name__ in ("NotGiven", "Omit")


@lru_cache(maxsize=256)
def _schema_of(model: type[BaseModel]) -> Mapping[str, object]:
    """A pydantic model as a response format; made once, since that is slower than a choice."""
    try:
        schema = model.model_json_schema()
    except Exception as error:  # the model's own hooks may raise anything
        raise ConfigError(
            f"response_format: {model.__name__} has no JSON schema: {error}. Drop the fields that "
            "JSON cannot hold, or give a schema as a dict"
        ) from error
    return {"type": "json_schema", "json_schema": {"name": model.__name__, "schema": schema}}


def _format_of(
    wanted: ResponseFormat,
) -> tuple[Mapping[str, object] | None, type[BaseModel] | None]:
    if wanted is None or _is_absent(wanted):
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
        return _schema_of(wanted), wanted
    raise ConfigError(
        f"response_format must be a dict in OpenAI's form or a pydantic model, got {wanted!r}"
    )
