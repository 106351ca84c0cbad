"""The agent on LlamaIndex: `FunctionAgent` with a `KalibrLLM`."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from typing import Any

from llama_index.core.agent.workflow import AgentOutput, FunctionAgent
from llama_index.core.bridge.pydantic import PrivateAttr
from llama_index.core.instrumentation.event_handlers import BaseEventHandler
from llama_index.core.instrumentation.events import BaseEvent
from llama_index.core.llms import ChatMessage
from llama_index.core.tools import FunctionTool
from llama_index_instrumentation import get_dispatcher
from llama_index_instrumentation.dispatcher import instrument_tags

from kalibr_bench.gauntlet.desk import Desk
from kalibr_bench.gauntlet.problem import MAX_STEPS
from kalibr_bench.gauntlet.records import Call
from kalibr_core import Router
from kalibr_llama_index import DecisionEvent, KalibrLLM

SESSION = "session_id"


class LlamaIndexAgent:
    """Works on the task; one for all runs of a Router, in threads of their own."""

    def __init__(self, router: Router) -> None:
        self._llm = KalibrLLM(router=router)
        self._notes = _Notes()
        get_dispatcher().add_event_handler(self._notes)

    def work(
        self, prompt: str, desk: Desk, *, session: str, seed: int | None, calls: list[Call]
    ) -> None:
        """One run; as `LangChainAgent.work`."""
        self._notes.of[session] = calls
        try:
            asyncio.run(self._run(prompt, desk, session, seed))
        finally:
            self._notes.of.pop(session, None)

    async def _run(self, prompt: str, desk: Desk, session: str, seed: int | None) -> None:
        more = {} if seed is None else {"seed": seed}
        agent = _LimitedAgent(
            tools=[_tool(desk.python_expression), _tool(desk.submit_code, ends=True)],
            llm=self._llm.model_copy(update={"additional_kwargs": more}),  # shares connections
            timeout=None,
        )
        with instrument_tags({SESSION: session}):
            await agent.run(prompt, max_iterations=MAX_STEPS + 2)

    def close(self) -> None:
        """Stop listening and close the connections; the Router stays open."""
        get_dispatcher().event_handlers.remove(self._notes)
        self._llm.close()


def _tool(function: Any, *, ends: bool = False) -> FunctionTool:
    async def in_thread(**arguments: Any) -> str:
        # A thread of its own: a shared pool is smaller than the number of runs.
        return await _threaded(lambda: function(**arguments))

    return FunctionTool.from_defaults(function, async_fn=in_thread, return_direct=ends)


async def _threaded(work: Any) -> str:
    loop = asyncio.get_running_loop()
    done: asyncio.Future[str] = loop.create_future()

    def run() -> None:
        try:
            result = work()
        except Exception as error:  # noqa: BLE001  # it is raised in the agent
            loop.call_soon_threadsafe(done.set_exception, error)
        else:
            loop.call_soon_threadsafe(done.set_result, result)

    threading.Thread(target=run, daemon=True).start()
    return await done


class _LimitedAgent(FunctionAgent):
    """Stops without another model call once its steps are used up."""

    _steps: int = PrivateAttr(default=0)

    async def take_step(
        self, ctx: Any, llm_input: list[ChatMessage], tools: Sequence[Any], memory: Any
    ) -> AgentOutput:
        self._steps += 1
        if self._steps > MAX_STEPS:
            said = ChatMessage(role="assistant", content="No steps are left.")
            return AgentOutput(response=said, current_agent_name=self.name)
        return await super().take_step(ctx, llm_input, tools, memory)


class _Notes(BaseEventHandler):
    """Notes each routed call as it ends, for the run whose session it is of."""

    of: dict[str, list[Call]] = {}  # noqa: RUF012  # a pydantic field: each has its own

    @classmethod
    def class_name(cls) -> str:
        return "GauntletNotes"

    def handle(self, event: BaseEvent, **kwargs: Any) -> None:
        calls = self.of.get(str(event.tags.get(SESSION)))
        if isinstance(event, DecisionEvent) and calls is not None:
            calls.append(
                Call(
                    decision_id=event.decision_id,
                    path=event.path,
                    cost_usd=event.cost_usd,
                    attempts=event.attempts,
                )
            )
