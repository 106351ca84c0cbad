"""The chats of `docs/feedback-langchain.md`, run on stand-ins for Streamlit and Gradio."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from kalibr_bench.provider import LoopbackProvider
from kalibr_core.adapter import routers

PAGE = Path(__file__).resolve().parents[2] / "docs" / "feedback-langchain.md"
NOWHERE = "http://127.0.0.1:9/v1"


def snippet(name: str) -> str:
    """The code below a heading."""
    after = PAGE.read_text("utf-8").split(f"## A chat in {name}")[1]
    return after.split("```python\n")[1].split("```")[0]


@pytest.fixture(autouse=True)
def _at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-the-test")
    monkeypatch.delenv("KALIBR_LEDGER", raising=False)
    before = routers.live()
    yield
    for routing in routers.live():
        if routing not in before:
            routers.LIVE.discard(routing)
            routing.router.close()


class Streamlit:
    """What the chat uses of it; `says` is one run of the page."""

    def __init__(self) -> None:
        self.session_state: dict[str, Any] = {}
        self.shown: list[tuple[str, str]] = []
        self.errors: list[str] = []
        self.buttons: dict[str, Callable[[], Any]] = {}
        self._made: dict[int, Any] = {}
        self._made_at = 0
        self._typed: str | None = None

    def says(self, typed: str | None) -> None:
        self._typed, self.shown, self.errors, self.buttons, self._made_at = typed, [], [], {}, 0
        exec(compile(snippet("Streamlit"), "chat.py", "exec"), {})

    def cache_resource(self, make: Callable[[], Any]) -> Callable[[], Any]:
        self._made_at += 1
        at = self._made_at

        def get() -> Any:
            if at not in self._made:
                self._made[at] = make()
            return self._made[at]

        return get

    def chat_input(self, _: str) -> str | None:
        return self._typed

    def chat_message(self, role: str) -> Any:
        return SimpleNamespace(write=lambda text: self.shown.append((role, text)))

    def error(self, text: str) -> None:
        self.errors.append(text)

    def button(self, name: str, *, on_click: Callable[..., Any], args: tuple[Any, ...]) -> None:
        self.buttons[name] = lambda: on_click(*args)


def test_a_failed_call_leaves_nothing_in_a_streamlit_talk_and_buttons_follow_an_answer(
    shared_server: LoopbackProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = Streamlit()
    monkeypatch.setitem(sys.modules, "streamlit", page)
    monkeypatch.setenv("KALIBR_BASE_URL", NOWHERE)
    for typed in ("Hi", "Hi"):
        page.says(typed)
        assert (page.shown, page.buttons, len(page.errors)) == ([], {}, 1)
    monkeypatch.setenv("KALIBR_BASE_URL", shared_server.base_url)
    page._made.clear()
    page.says("Hi")
    assert [role for role, _ in page.shown] == ["human", "ai"]
    assert page.errors == []
    assert [page.buttons["copied"]() for _ in range(2)] == [True, False]
    page.says(None)
    assert page.buttons["discarded"]()


def test_a_failed_call_leaves_nothing_in_what_gradio_asks_next(
    shared_server: LoopbackProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Gradio keeps the message in its history; votes are told of the last answer."""
    gradio = SimpleNamespace(
        Request=Any, LikeData=Any, Blocks=lambda: Blocks(), ChatInterface=lambda _: Blocks()
    )
    monkeypatch.setitem(sys.modules, "gradio", gradio)
    monkeypatch.setenv("KALIBR_BASE_URL", shared_server.base_url)
    app: dict[str, Any] = {}
    exec(compile(snippet("Gradio"), "chat.py", "exec"), app)
    asked: list[Any] = []
    model = app["model"]

    def invoke(talk: Any, _: Any) -> Any:
        asked.append(talk)
        return model.invoke(talk)

    app["model"] = SimpleNamespace(invoke=invoke)
    request = SimpleNamespace(session_hash="one")
    kept = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]
    failed = {"role": "user", "content": "Shorter"}
    assert app["answer"]("Shorter", [*kept, failed, failed], request)
    assert asked == [[*kept, failed]]


class Blocks:
    """Gradio's parts, as far as the chat touches them."""

    @property
    def chatbot(self) -> Blocks:
        return self

    def like(self, *_: Any) -> None: ...

    def launch(self) -> None: ...

    def __enter__(self) -> Blocks:
        return self

    def __exit__(self, *_: object) -> None: ...
