"""KalibrCallbackHandler: LangChain's events -> what users did with the answers."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Self
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import BaseMessage
from langchain_core.outputs import LLMResult

from kalibr_core.adapter.behaviour import FLUSH_S, Behaviour
from kalibr_core.feedback import Classify

from .runs import Runs, answer_of
from .talks import Talks

DEAF = "this handler has heard of no run (give it in a chain's config: {'callbacks': [handler]})"


class KalibrCallbackHandler(BaseCallbackHandler):
    """Tells Kalibr what users did with answers, from LangChain's own events.

    A run with a session that `ChatKalibr`s have answered in is an answer; the next human message in
    that session says something of it. No `report_*` call is needed.

        handler = KalibrCallbackHandler()
        config = {"callbacks": [handler], "configurable": {"thread_id": "chat-1"}}
        agent.invoke({"messages": [("user", "Write me a poem.")]}, config)
        agent.invoke({"messages": [("user", "Shorter, please.")]}, config)
        handler.action("chat-1", "output_copied")

    Give it to the whole chain or graph: on a model below one it hears prompts, and tells no turns.

    The session is the run's `session_id`, `thread_id` or `conversation_id`, of `configurable` or
    `metadata`. One handler serves all chains of a process: sync, async and streams. It raises
    nothing into them, and keeps no text once a run has ended.

    Args:
        input_key: where the user's message stands in the input of your chains or the state of your
            graphs, if not in `messages`, `input`, `question`, `query` or `human_input`.
        classify: judges a user's message; see `kalibr_core.feedback.report_user_turn`. It is called
            on a thread in the background, and all is told there: see `flush`.

    Raises:
        kalibr_core.ConfigError: `classify` is no function, or async.
    """

    run_inline = True
    """Chains that are async call it where they run: through a pool of threads, which the program's
    own work may fill, each of a run's many events would wait for its turn."""

    def __init__(self, *, input_key: str | None = None, classify: Classify | None = None) -> None:
        super().__init__()
        self._input_key, self._classify = input_key, classify
        self._runs = Runs()
        self._behaviour = Behaviour(
            model="ChatKalibr", classify=classify, deaf=DEAF, guarded=(Runs.__module__,)
        )
        self._talks = Talks(self._behaviour, self._runs, input_key=input_key)

    # What users of it call.

    def action(self, session_id: str, action: str) -> bool:
        """The user has done something with the session's last answer; the strongest signal.

        It is told after the events that still wait (see `flush`), for .1 s of this call at most.

        Args:
            action: `output_used_verbatim`, `output_copied`, `output_edited` or `output_discarded`.

        Returns:
            False: this was reported before of this answer, or the session's last answer came from
                no ChatKalibr: nothing has moved. True also where it still waits; what goes wrong
                then is in `failures`.

        Raises:
            kalibr_core.UnknownAction: none of these.
            kalibr_core.UnknownSession: no open ChatKalibr of this process has answered in this
                session; elsewhere, use `kalibr_core.feedback.report_action`.
            kalibr_core.LedgerError: the ledger cannot be used.
        """
        return self._behaviour.action(session_id, action)

    def end(self, session_id: str) -> bool:
        """The user has left; without this, an hour's silence comes to the same.

        Returns:
            False: the session had ended before. True also where it still waits, as an `action`.

        Raises:
            kalibr_core.UnknownSession, kalibr_core.LedgerError: as `action`'s.
        """
        return self._behaviour.end(session_id)

    def flush(self, *, timeout_s: float = FLUSH_S) -> bool:
        """Wait until all that was heard is in the ledger; False: some of it is not yet.

        Events wait with `classify`, where another process held the ledger locked, and where the
        garbage collector has ended a stream that was left. The interpreter's exit waits for them
        too.

        Args:
            timeout_s: seconds, from 0 on.

        Raises:
            kalibr_core.ConfigError: it is none such.
        """
        return self._behaviour.flush(timeout_s=timeout_s)

    @property
    def failures(self) -> Mapping[str, int]:
        """What could not be told, by the error's class; `NoMessage`: runs without a user's;
        `BelowChain`: answers of a model below a chain that this handler does not hear."""
        return dict(self._behaviour.failures)

    def __copy__(self) -> Self:
        return self  # what a copy heard of a run would be half of it

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        """Another process hears its own runs."""
        return partial(type(self), input_key=self._input_key, classify=self._classify), ()

    # What LangChain calls.

    def on_chain_start(
        self,
        serialized: dict[str, Any] | None,
        inputs: Any,
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        metadata: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """A chain or a graph begins."""
        with self._behaviour.careful():
            self._talks.begin(run_id, parent_run_id, metadata, inputs, is_chain=True)

    def on_chain_end(
        self, outputs: Any, *, run_id: UUID, inputs: Any = None, **kwargs: Any
    ) -> None:
        """A chain has ended; of a stream, it is now that its input is known."""
        with self._behaviour.careful():
            self._talks.end(run_id, inputs, outputs)

    def on_chain_error(
        self, error: BaseException, *, run_id: UUID, inputs: Any = None, **kwargs: Any
    ) -> None:
        """A chain has failed: what the user said stays said, and there is no answer."""
        with self._behaviour.careful():
            self._talks.fail(run_id, inputs)

    def on_chat_model_start(
        self,
        serialized: dict[str, Any] | None,
        messages: list[list[BaseMessage]],
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        metadata: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """A model begins, which may be the root run itself."""
        with self._behaviour.careful():
            asked = messages[0] if messages else []
            self._talks.call(run_id, parent_run_id, metadata, asked)

    def on_llm_end(self, response: LLMResult, *, run_id: UUID, **kwargs: Any) -> None:
        """A model has answered; the decision is in its message."""
        with self._behaviour.careful():
            self._talks.answered(run_id, answer_of(response))

    def on_llm_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        """A model has failed; its chain may go on without it."""
        with self._behaviour.careful():
            self._talks.unanswered(run_id)

    def on_tool_start(
        self, serialized: dict[str, Any] | None, input_str: str, *, run_id: UUID, **kwargs: Any
    ) -> None:
        """A tool may call models, or a whole agent."""
        self._step(run_id, **kwargs)

    def on_tool_end(self, output: Any, *, run_id: UUID, **kwargs: Any) -> None:
        """A tool has ended."""
        self._runs.leave(run_id)

    def on_tool_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        """A tool has failed."""
        self._runs.leave(run_id)

    def on_retriever_start(
        self, serialized: dict[str, Any] | None, query: str, *, run_id: UUID, **kwargs: Any
    ) -> None:
        """A retriever may have a model write its queries."""
        self._step(run_id, **kwargs)

    def on_retriever_end(self, documents: Any, *, run_id: UUID, **kwargs: Any) -> None:
        """A retriever has ended."""
        self._runs.leave(run_id)

    def on_retriever_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        """A retriever has failed."""
        self._runs.leave(run_id)

    def _step(
        self,
        run_id: UUID,
        *,
        parent_run_id: UUID | None = None,
        metadata: dict[str, Any] | None = None,
        **_: Any,
    ) -> None:
        """A tool or a retriever begins; what it is asked is not the user's word."""
        with self._behaviour.careful():
            self._talks.begin(run_id, parent_run_id, metadata, ())
