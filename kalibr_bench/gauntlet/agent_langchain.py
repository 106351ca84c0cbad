"""The agent on LangChain: `create_agent` with a `ChatKalibr`."""

from __future__ import annotations

from typing import Any

from langchain.agents import create_agent
from langchain.agents.middleware import AgentMiddleware, ModelCallLimitMiddleware, hook_config
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.outputs import ChatGeneration, LLMResult
from langchain_core.runnables import RunnableConfig

from kalibr_bench.gauntlet.desk import Desk
from kalibr_bench.gauntlet.problem import MAX_STEPS
from kalibr_bench.gauntlet.records import Call
from kalibr_core import Router
from kalibr_core.outputs import KEY
from kalibr_langchain import ChatKalibr


class LangChainAgent:
    """Works on the task; one for all runs of a Router, in threads of their own."""

    def __init__(self, router: Router) -> None:
        self._model = ChatKalibr(router=router)

    def work(
        self, prompt: str, desk: Desk, *, session: str, seed: int | None, calls: list[Call]
    ) -> None:
        """One run; errors come as they are, with what was called before in `calls`.

        Args:
            prompt: The task.
            desk: The run's tools.
            session: The conversation, which mostly stays with its first path.
            seed: The request's, for a provider that knows it.
            calls: Where each call is noted as it ends.
        """
        # The agent is made anew since its tools are; the models behind it are shared.
        limit = ModelCallLimitMiddleware[Any, Any](run_limit=MAX_STEPS, exit_behavior="end")
        middleware: list[Any] = [_OneRun(desk, seed), limit]
        agent: Any = create_agent(
            self._model,
            tools=[desk.python_expression, desk.submit_code],
            middleware=middleware,
        )
        config: RunnableConfig = {
            "configurable": {"thread_id": session},
            "callbacks": [_Notes(calls)],
        }
        agent.invoke({"messages": [("user", prompt)]}, config)

    def close(self) -> None:
        """Close the connections; the Router stays open."""
        self._model.close()


class _OneRun(AgentMiddleware):
    """Sends the run's seed along, and ends it once something is submitted, also beside another
    tool's call."""

    def __init__(self, desk: Desk, seed: int | None) -> None:
        super().__init__()
        self._desk = desk
        self._settings = {} if seed is None else {"seed": seed}

    def wrap_model_call(self, request: Any, handler: Any) -> Any:
        settings = {**request.model_settings, **self._settings}
        return handler(request.override(model_settings=settings))

    @hook_config(can_jump_to=["end"])
    def before_model(self, state: Any, runtime: Any) -> dict[str, Any] | None:
        return None if self._desk.submission is None else {"jump_to": "end"}


class _Notes(BaseCallbackHandler):
    """Notes each routed call as it ends, so that those of a run that crashes are known too."""

    raise_error = True

    def __init__(self, calls: list[Call]) -> None:
        self._calls = calls

    def on_llm_end(self, response: LLMResult, **kwargs: Any) -> None:
        for generation in response.generations[0][:1]:
            if isinstance(generation, ChatGeneration):
                self._note(generation.message.response_metadata[KEY])

    def _note(self, record: dict[str, Any]) -> None:
        self._calls.append(
            Call(
                decision_id=record["decision_id"],
                path=record["path"],
                cost_usd=record["cost_usd"],
                attempts=len(record["attempts"]),
            )
        )
