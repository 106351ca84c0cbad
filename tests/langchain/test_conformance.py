"""LangChain's own test suite for chat models, run on ChatKalibr against the loopback provider.

Skipped are the tests that ChatOpenAI skips too: pictures and PDFs in the answers of
tools, and the suite's recorded HTTP exchanges.
"""

from __future__ import annotations

import sys
from typing import Any

import httpx
import langchain_tests.integration_tests.chat_models as suite
import pytest
from langchain_tests.integration_tests import ChatModelIntegrationTests
from langchain_tests.unit_tests import ChatModelUnitTests

from kalibr_bench.provider import LoopbackProvider
from kalibr_langchain import ChatKalibr

SAMPLE = b"a picture, a document or a sound"

PATHS = [{"model": name, "audio": True} for name in ("gpt-4o-mini", "gpt-4o")]
"""LangChain's profiles say that these models take no sound; the loopback provider's do."""


class _OfChatKalibr:
    @pytest.fixture(autouse=True)
    def _at(self, shared_server: LoopbackProvider, monkeypatch: pytest.MonkeyPatch) -> None:
        # The suite fetches its sample pictures, documents and sounds from the internet.
        monkeypatch.setattr(
            suite.httpx, "get", lambda url, **_: httpx.Response(200, content=SAMPLE)
        )
        monkeypatch.setenv("KALIBR_BASE_URL", shared_server.base_url)
        monkeypatch.setenv("OPENAI_API_BASE", shared_server.base_url)
        monkeypatch.setenv("OPENAI_API_KEY", "key-of-the-loopback-provider")

    @property
    def init_from_env_params(self) -> tuple[dict[str, str], dict[str, Any], dict[str, Any]]:
        return {"OPENAI_API_KEY": "another-key"}, self.chat_model_params, {"paths": PATHS}

    @property
    def supports_json_mode(self) -> bool:
        return True

    @property
    def supports_image_inputs(self) -> bool:
        return True

    @property
    def supports_image_urls(self) -> bool:
        return True

    @property
    def supports_image_tool_message(self) -> bool:
        return False

    @property
    def supports_pdf_inputs(self) -> bool:
        return True

    @property
    def supports_audio_inputs(self) -> bool:
        return True

    @property
    def supports_anthropic_inputs(self) -> bool:
        return True

    @property
    def supports_model_override(self) -> bool:
        return True

    @property
    def chat_model_class(self) -> type[ChatKalibr]:
        return ChatKalibr

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"goal": "conformance", "paths": PATHS, "ledger": "memory"}

    @property
    def model_override_value(self) -> str:
        return "gpt-4o"


class TestUnitOfChatKalibr(_OfChatKalibr, ChatModelUnitTests):
    @pytest.fixture(autouse=True)
    def _registered(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """As LangChain's own are; loading any other class takes `allowed_objects=[...]`."""
        name = ("kalibr_langchain", "ChatKalibr")
        loading = sys.modules["langchain_core.load.load"]
        monkeypatch.setitem(loading.ALL_SERIALIZABLE_MAPPINGS, name, name)  # type: ignore[attr-defined]  # a module
        monkeypatch.setattr(loading, "_default_class_paths_cache", {})


class TestIntegrationOfChatKalibr(_OfChatKalibr, ChatModelIntegrationTests):
    pass
