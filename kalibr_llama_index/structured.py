"""Structured output: how each path is asked for it, and how its answer is understood."""

from __future__ import annotations

import weakref
from collections.abc import AsyncGenerator, AsyncIterable, Generator, Iterable, Mapping
from copy import deepcopy
from functools import cached_property
from typing import Any

from llama_index.core.base.llms.types import ChatMessage, ChatResponse, MessageRole
from llama_index.core.output_parsers import PydanticOutputParser
from llama_index.core.output_parsers.utils import extract_json_str
from llama_index.core.program.function_program import get_function_tool
from llama_index.core.program.streaming_utils import process_streaming_content_incremental
from llama_index.core.types import PydanticProgramMode
from pydantic import BaseModel, RootModel

from kalibr_core.errors import ConfigError, NoEligiblePath
from kalibr_core.types import Output

from .path_llm import PathLLM
from .reading import text_of, tool_calls_of
from .tools import Tools

MODES = {
    PydanticProgramMode.DEFAULT: None,
    PydanticProgramMode.FUNCTION: "function",
    PydanticProgramMode.OPENAI: "function",
    PydanticProgramMode.LLM: "text",
}
"""LlamaIndex's program modes -> how paths are asked; None: as suits each."""
FORMAT = "response_format"
PROGRAMS = ("tool_choice", "tool_required", "allow_parallel_tool_calls")
"""Arguments of LlamaIndex's own programs, of which a routed one has no need."""


_schemas: weakref.WeakKeyDictionary[type[BaseModel], dict[str, Any]] = weakref.WeakKeyDictionary()


class Structured(dict[str, Any]):
    """A pydantic class that an answer is to fit, as OpenAI's `response_format`.

    Raises:
        ConfigError: the class or the mode cannot be used.
    """

    def __init__(self, output_cls: Any, mode: PydanticProgramMode) -> None:
        if not (isinstance(output_cls, type) and issubclass(output_cls, BaseModel)):
            raise ConfigError(f"output_cls must be a pydantic class, got {output_cls!r:.80}")
        if issubclass(output_cls, RootModel):
            raise ConfigError(
                f"{output_cls.__name__} is a RootModel, which no provider takes for structured "
                "output: wrap it in a class with a field"
            )
        if mode not in MODES:
            told = ", ".join(sorted(known.value for known in MODES))
            raise ConfigError(
                f"pydantic_program_mode={mode.value!r} needs an LLM of one kind; with several "
                f"paths it is one of {told}"
            )
        self.output_cls = output_cls
        self.method = MODES[mode]
        schema = deepcopy(_json_schema(output_cls))
        super().__init__(
            type="json_schema", json_schema={"name": output_cls.__name__, "schema": schema}
        )

    @cached_property
    def tools(self) -> Tools:
        """The class as a tool that must be called."""
        return Tools([get_function_tool(self.output_cls)], required=True)

    def arguments(self, given: Mapping[str, Any] | None) -> dict[str, Any]:
        """The arguments of a call that asks for it, beside the ones that the caller gave."""
        rest = {name: v for name, v in (given or {}).items() if name not in PROGRAMS}
        return {**rest, FORMAT: self}

    def asked_of(self, path: PathLLM, messages: list[ChatMessage]) -> dict[str, Any]:
        """The messages and arguments that ask a path for it.

        Raises:
            NoEligiblePath: the path cannot be asked so.
        """
        if self.method is None and path.takes_schemas:
            return {"messages": messages, **_schema_of(path, self.output_cls)}
        if self.method != "text" and path.calls_tools:
            return self.tools.asked_of(path, messages)
        if self.method == "function":
            raise NoEligiblePath([f"{path.path.id}: its LLM cannot call tools"])
        parser = PydanticOutputParser(output_cls=self.output_cls)
        own = [message.model_copy(deep=True) for message in messages]  # it writes into them
        return {"messages": parser.format_messages(own)}

    def output(self, output: Output) -> Output:
        """The answer as the gates judge it: its structure as text, however it was asked for."""
        name = self.tools[0]["function"]["name"]
        for call in output.tool_calls:
            if call.name == name:
                return _told(output, call.arguments)
        return output if output.tool_calls else _told(output, _json_in(output.text))

    def parse(self, text: str) -> BaseModel:
        """The structure in a text of JSON.

        Raises:
            ValueError: it does not fit.
        """
        return self.output_cls.model_validate_json(text)

    def value(self, response: ChatResponse) -> BaseModel:
        """The structure in a whole answer.

        Raises:
            ValueError: it does not fit.
        """
        return self.parse(self._text(response))

    def partial(self, response: ChatResponse, before: BaseModel | None) -> Any:
        """The structure as far as it has come: an instance, or one whose fields are optional."""
        try:
            return self.value(response)
        except Exception as error:  # noqa: BLE001  # the class's own validators may raise anything
            if not isinstance(error, ValueError):
                return before
        said = ChatResponse(
            message=ChatMessage(role=MessageRole.ASSISTANT, content=self._text(response))
        )
        return process_streaming_content_incremental(said, self.output_cls, before)

    def grown(self, chunks: Iterable[ChatResponse]) -> Generator[Any, None, None]:
        """Partial structures as a stream brings them, then the whole one.

        Raises:
            ValueError: a live stream ends with what does not fit.
        """
        found = last = None
        for chunk in chunks:
            last = chunk
            found = self.partial(chunk, found)
            yield found
        if last is not None:
            self.value(last)

    async def agrown(self, chunks: AsyncIterable[ChatResponse]) -> AsyncGenerator[Any, None]:
        """`grown`, awaited."""
        found = last = None
        async for chunk in chunks:
            last = chunk
            found = self.partial(chunk, found)
            yield found
        if last is not None:
            self.value(last)

    def _text(self, response: ChatResponse) -> str:
        said = Output(text=text_of(response), tool_calls=tool_calls_of(response))
        return self.output(said).text


def _json_schema(output_cls: type[BaseModel]) -> dict[str, Any]:
    """Made once, since that is slower than a choice."""
    found = _schemas.get(output_cls)
    if found is not None:
        return found
    try:
        schema = _schemas[output_cls] = output_cls.model_json_schema()
    except Exception as error:  # the class's own hooks may raise anything
        raise ConfigError(
            f"{output_cls.__name__} has no JSON schema: {error}. Drop the fields that JSON "
            "cannot hold"
        ) from error
    return schema


def _schema_of(path: PathLLM, output_cls: type[BaseModel]) -> dict[str, Any]:
    """What asks an OpenAI LLM for a class; made once for each path."""
    try:
        found = path.asks.get(output_cls)
        if found is None:
            found = path.asks[output_cls] = dict(path.llm._prepare_schema({}, output_cls))  # type: ignore[attr-defined]  # the OpenAI LLM's
        return found
    except Exception as error:
        raise NoEligiblePath(
            [f"{path.path.id}: it cannot be asked for structured output: {error}"]
        ) from error


def _json_in(text: str) -> str:
    """The object in a text, which may stand in prose or in a fence."""
    stripped = text.strip()
    if stripped.startswith("{") and stripped.endswith("}"):
        return stripped
    try:
        return str(extract_json_str(text))
    except ValueError:
        return text


def _told(output: Output, text: str) -> Output:
    return Output(
        text=text,
        finish_reason=None if output.finish_reason == "tool_calls" else output.finish_reason,
        refusal=output.refusal,
        usage=output.usage,
        model=output.model,
    )
