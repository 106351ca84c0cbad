"""Structured output: what is asked for, and how an answer is understood."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from operator import itemgetter
from typing import Any, cast

from langchain_core.exceptions import ModelRefusalError, OutputParserException
from langchain_core.language_models import LanguageModelInput
from langchain_core.messages import AIMessage, BaseMessage, BaseMessageChunk
from langchain_core.output_parsers import BaseTransformOutputParser
from langchain_core.outputs import (
    ChatGeneration,
    ChatGenerationChunk,
    Generation,
    GenerationChunk,
)
from langchain_core.runnables import Runnable, RunnableMap, RunnablePassthrough
from langchain_core.utils.function_calling import convert_to_json_schema, convert_to_openai_tool
from langchain_core.utils.json import parse_json_markdown, parse_partial_json
from langchain_core.utils.pydantic import is_basemodel_subclass

from kalibr_core.errors import ConfigError
from kalibr_core.types import Output

METHODS = ("json_schema", "function_calling", "json_mode")


@dataclass(frozen=True, eq=False)
class Structured:
    """What `with_structured_output` asked for.

    Raises:
        ConfigError: the schema cannot be used.
    """

    schema: Any
    """A pydantic class, a TypedDict, a JSON schema, an OpenAI function; None: any JSON."""
    method: str | None = None
    """One of `METHODS`; None: what suits the path."""
    strict: bool | None = None
    tools: tuple[Any, ...] = ()
    bound: dict[str, dict[str, Any]] = field(default_factory=dict, repr=False)
    """The arguments that ask a path for it, by path."""

    def __post_init__(self) -> None:
        if self.method is not None and self.method not in METHODS:
            raise ConfigError(
                f"method must be one of {', '.join(METHODS)} or None, got {self.method!r}"
            )
        if self.schema is None and self.method != "json_mode":
            raise ConfigError('schema is None; only method="json_mode" needs none')
        if self.strict is not None and self.method == "json_mode":
            raise ConfigError('strict does not go with method="json_mode"')
        from kalibr_core.gates.structural import check_response_format  # slow to import

        check_response_format(self.response_format)

    def __repr__(self) -> str:
        """The same in every process: LangChain's cache is keyed by it."""
        told = json.dumps(self.json_schema, sort_keys=True, default=str)
        return f"Structured({told}, method={self.method!r}, strict={self.strict!r})"

    @cached_property
    def is_pydantic(self) -> bool:
        return isinstance(self.schema, type) and is_basemodel_subclass(self.schema)

    @cached_property
    def name(self) -> str | None:
        """The tool's name where a path is asked by a tool."""
        return None if self.schema is None else self.tool["function"]["name"]

    @cached_property
    def tool(self) -> dict[str, Any]:
        """The schema as a tool, in OpenAI's format."""
        try:
            return convert_to_openai_tool(self.schema, strict=self.strict)
        except (TypeError, ValueError, KeyError, AttributeError) as error:
            raise ConfigError(
                f"schema {self.schema!r:.80} cannot be used: {error}. Give a pydantic class, a "
                "TypedDict or a JSON schema with a title"
            ) from error

    @cached_property
    def json_schema(self) -> dict[str, Any] | None:
        if self.schema is None:
            return None
        tool = self.tool
        try:
            found: dict[str, Any] = convert_to_json_schema(self.schema)
        except Exception:  # noqa: BLE001  # what the tool was made of is as good
            return dict(tool["function"].get("parameters") or {})
        return found

    @cached_property
    def response_format(self) -> Mapping[str, object]:
        """What gate 1 judges the output by; a pydantic class's own validation may be laxer."""
        schema = self.json_schema
        if schema is None or self.is_pydantic:
            return {"type": "json_object"}
        return {"type": "json_schema", "json_schema": {"name": self.name, "schema": schema}}

    def output(self, output: Output) -> Output:
        """The answer as the gates judge it: its structure as text, however it was asked for."""
        if self.name is not None:
            for call in output.tool_calls:
                if call.name == self.name:
                    return _told(output, call.arguments)
        if output.tool_calls:
            return output
        try:
            return _told(output, json.dumps(parse_json_markdown(output.text, parser=json.loads)))
        except (ValueError, TypeError, RecursionError):
            return output

    def parse(self, text: str) -> Any:
        """The structure in a text of JSON.

        Raises:
            ValueError: it does not fit the schema.
        """
        value = json.loads(text)
        return self.validated(value)

    def validated(self, value: Any) -> Any:
        if not self.is_pydantic:
            return value
        validate = getattr(self.schema, "model_validate", None) or self.schema.parse_obj
        return validate(value)


def _told(output: Output, text: str) -> Output:
    return Output(
        text=text,
        finish_reason=None if output.finish_reason == "tool_calls" else output.finish_reason,
        refusal=output.refusal,
        usage=output.usage,
        model=output.model,
    )


class _Grown:
    """What has come of a stream, and the last structure that was given out."""

    def __init__(self) -> None:
        self.generation: Any = None
        self._given: Any = None

    def add(self, chunk: str | BaseMessage) -> None:
        more: Any = (
            GenerationChunk(text=chunk)
            if isinstance(chunk, str)
            else ChatGenerationChunk(message=cast("Any", chunk))
            if isinstance(chunk, BaseMessageChunk)
            else ChatGeneration(message=chunk)
        )
        self.generation = more if self.generation is None else self.generation + more

    def new(self, value: Any) -> Iterator[Any]:
        """The value, unless it is none or was the last."""
        if value is not None and value != self._given:
            self._given = value
            yield value


class StructuredParser(BaseTransformOutputParser[Any]):
    """The structure in an answer; partial ones while a stream of a plain schema comes."""

    wanted: Any
    """A `Structured`."""

    @property
    def _type(self) -> str:
        return "kalibr_structured"

    def parse(self, text: str) -> Any:
        return self.parse_result([Generation(text=text)])

    def _transform(self, input: Iterator[str | BaseMessage]) -> Iterator[Any]:
        """Partial structures as they grow, then the whole one; an instance is never partial."""
        grown = _Grown()
        for chunk in input:
            yield from self._partial(grown, chunk)
        yield from self._whole(grown)

    async def _atransform(self, input: AsyncIterator[str | BaseMessage]) -> AsyncIterator[Any]:
        grown = _Grown()
        async for chunk in input:
            for value in self._partial(grown, chunk):
                yield value
        for value in self._whole(grown):
            yield value

    def _partial(self, grown: _Grown, chunk: str | BaseMessage) -> Iterator[Any]:
        grown.add(chunk)
        if not self.wanted.is_pydantic:
            yield from grown.new(self.parse_result([grown.generation], partial=True))

    def _whole(self, grown: _Grown) -> Iterator[Any]:
        if grown.generation is not None:
            yield from grown.new(self.parse_result([grown.generation]))

    def parse_result(self, result: list[Generation], *, partial: bool = False) -> Any:
        """The structure, or None where a tool of the user's was called instead.

        Raises:
            OutputParserException: the answer holds none, or one that does not fit.
            ModelRefusalError: the model refused.
        """
        generation = result[0]
        message = generation.message if isinstance(generation, ChatGeneration) else None
        try:
            value = _value(self.wanted, message, generation.text, partial=partial)
        except ModelRefusalError:
            raise
        except Exception as error:
            if partial:
                return None
            raise OutputParserException(
                f"the answer does not fit the schema: {error}", llm_output=generation.text
            ) from error
        return value


def _value(wanted: Structured, message: Any, text: str, *, partial: bool) -> Any:
    if isinstance(message, AIMessage):
        for call in message.tool_calls:
            if call["name"] == wanted.name:
                return wanted.validated(call["args"])
        if not partial:
            refused(message)
        if message.tool_calls:
            return None
        bad = [c for c in message.invalid_tool_calls if c["name"] == wanted.name]
        if bad:  # the failure that shows nowhere else
            text = bad[0]["args"] or ""
    if partial:
        value = parse_partial_json(text)
        return value if isinstance(value, dict | list) and not wanted.is_pydantic else None
    return wanted.validated(parse_json_markdown(text, parser=json.loads))


def refused(message: AIMessage) -> None:
    """Raise what LangChain's models raise where the model refused."""
    from .reading import read_message

    told = read_message(message, {})
    if told.refusal or told.finish_reason == "refusal":
        raise ModelRefusalError(told.refusal or "the model refused", raw_message=message)
    if told.finish_reason == "content_filter":
        raise ModelRefusalError("the output was stopped by a content filter", raw_message=message)


def understood(
    model: Runnable[LanguageModelInput, AIMessage], wanted: Structured, *, include_raw: bool
) -> Runnable[LanguageModelInput, Any]:
    """A model that gives structures; with `include_raw` dicts of `raw`, `parsed` and
    `parsing_error`, and no answer raises."""
    parser: Runnable[Any, Any] = StructuredParser(wanted=wanted)
    if not include_raw:
        return model | parser
    assigned = RunnablePassthrough.assign(
        parsed=itemgetter("raw") | parser, parsing_error=lambda _: None
    )
    nothing = RunnablePassthrough.assign(parsed=lambda _: None)
    return RunnableMap(raw=model) | assigned.with_fallbacks(
        [nothing], exception_key="parsing_error"
    )
