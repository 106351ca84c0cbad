"""The plain records that travel along one routed call. Unknown is `None`, never 0."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, TypeAlias, TypeVar

T = TypeVar("T")

JSON: TypeAlias = "bool | int | float | str | Sequence[JSON] | Mapping[str, JSON] | None"
"""What `json.dumps` takes."""


class FailureKind(enum.StrEnum):
    """Why an attempt failed. What follows from each kind stands in one table, `failures.RULES`."""

    BAD_OUTPUT = "bad_output"
    """The provider answered, and gate 1 refused the answer."""
    SERVER_ERROR = "server_error"
    TIMEOUT = "timeout"
    CONNECTION = "connection"
    INTERRUPTED = "interrupted"
    """A stream that ended before it was finished."""
    BAD_RESPONSE = "bad_response"
    """A response that is not the provider's format: HTML, or JSON that is cut."""
    RATE_LIMIT = "rate_limit"
    AUTH = "auth"
    NOT_FOUND = "not_found"
    CONTEXT_OVERFLOW = "context_overflow"
    CONTENT_FILTER = "content_filter"
    UNSUPPORTED = "unsupported"
    """The path does not take one of the request's parameters; another one may."""
    INVALID_REQUEST = "invalid_request"
    CALLER = "caller"
    """A bug in the caller's own code, raised while the call was made."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens of one attempt as its provider counted them."""

    input_tokens: int
    """All prompt tokens, the cached ones included."""
    output_tokens: int
    """All completion tokens, the reasoning ones included."""
    cached_input_tokens: int | None = None
    reasoning_tokens: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """A tool call in an answer; `arguments` is the text that the model wrote."""

    name: str
    arguments: str
    id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """What an answer says, whatever framework brought it: the view that gates judge."""

    text: str
    tool_calls: tuple[ToolCall, ...] = ()
    finish_reason: str | None = None
    """As the provider names it: `stop`, `length`, `end_turn`, `tool_calls`, ..."""
    refusal: str | None = None
    """The provider's own refusal field, where it has one."""
    usage: Usage | None = None
    model: str | None = None
    """The model name in the response, often dated: never a path's identity."""


class Features(NamedTuple):
    """What a request looks like, without any of its text."""

    input_tokens: int
    """An estimate: characters / 4; in texts that are not all ASCII, characters / 2."""
    turns: int
    tools: int
    schema: bool
    images: int
    script: str | None
    """The script of most of the last message: `latin`, `han`, ...; a guess at its language."""
    session: str | None
    """A hash of the session's id."""


NO_FEATURES = Features(0, 0, 0, False, 0, None, None)

INPUTS = ("images", "audio", "files", "video")
"""What a message may hold beside text; a `Path` tells by the same names what it takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is asked for, as far as routing and the gates need to know it."""

    prompt: str = ""
    """The last user message's text."""
    tools: Sequence[Mapping[str, object]] = ()
    """Tool definitions in OpenAI's format."""
    response_format: Mapping[str, object] | None = None
    """OpenAI's `response_format`: `{"type": "json_object"}` or `{"type": "json_schema", ...}`."""
    max_output_tokens: int | None = None
    parse: Callable[[str], object] | None = None
    """Raises where the output's text is not what the caller can use: a further part of gate 1."""
    parse_calls: Callable[[tuple[ToolCall, ...]], object] | None = None
    """The same for the output's tool calls, none included."""
    tolerates: frozenset[str] = frozenset()
    """Gate 1's codes of faults with which an answer is still of use, where no path does better."""
    takes: frozenset[str] = frozenset()
    """What else than text the messages hold: of `INPUTS`."""
    only: str | None = None
    """The id or the model of the paths that may answer; None: any."""
    features: Features = NO_FEATURES


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A gate's judgement of one output."""

    passed: bool | None
    """None: the gate could not tell; the call goes on and nothing is learned."""
    reason: str | None = None
    """A short code such as `empty`, `refusal`, `truncated`; never any of the output's text."""
    detail: str | None = None
    """For the caller's error message only, never recorded: it may quote a schema's path."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A failed attempt, classified."""

    kind: FailureKind
    status: int | None = None
    retry_after_s: float | None = None
    reason: str | None = None
    """A short code; the error's own text may hold a prompt or a key and is not kept."""


class Arm(NamedTuple):
    """A path as the bandit sees it."""

    id: str
    cost_usd: float | None
    """Expected cost of this call on this arm; None: unknown, which is not free."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a policy may know about the call it chooses an arm for."""

    number: int = 1
    """1 for a call's first attempt; from 2 on the caller is waiting for a fallback."""
    at: float = 0.0
    """Wall-clock time, seconds since the epoch."""
    features: Features | None = None
    previous: str | None = None
    """The arm that answered the conversation's previous turn; switching away from it has a price.

    Told for a call's first attempt alone. It may not be among the arms that are offered now.
    """


class Basis(NamedTuple):
    """What was known of one arm when a choice was made; the propensity is computed from these."""

    arm: str
    cost_usd: float | None
    down: bool
    runs: tuple[tuple[float, float, float], ...]
    """(weight, alpha, beta) of the posterior's components; weights sum to 1, but for light ones."""
    doubt: float = 0.0
    """How far above its mean, in logits, the arm may still be for all that the evidence says."""


class Pull(NamedTuple):
    """A policy's choice."""

    arm: str
    rule: str
    """What decided: `leader`, `cheaper`, `probe`, `conversation`, `only`, or a baseline's word."""
    propensity: float | None = None
    """The arm's probability, where it is known without an estimate; else see `basis`."""
    basis: tuple[Basis, ...] = ()
    due: str | None = None
    """The arm whose probe was due; it is made with a fixed probability, else an arm is drawn."""
    previous: str | None = None
    """The arm that a conversation may stay with."""


class EvidenceKind(enum.StrEnum):
    """What a piece of evidence speaks about."""

    QUALITY = "quality"
    """Did the output pass gate 1?"""
    AVAILABILITY = "availability"
    """Did the provider answer at all?"""
    SCORE = "score"
    """How good was it, by gate 2 or `score_when`?"""
    BEHAVIOUR = "behaviour"
    """What did the user do with it?"""
    NONE = "none"
    """A pull that taught nothing: cancelled, or the caller's own fault."""


class Evidence(NamedTuple):
    """Outcomes of one arm; several at once where they come from another process."""

    kind: EvidenceKind
    gain: float = 0.0
    """Sum of the rewards, each in [0, 1]."""
    loss: float = 0.0
    """Sum of (1 - reward)."""
    at: float = 0.0
    """Wall-clock time of the newest, seconds since the epoch."""


class Entry(NamedTuple):
    """One line of the record: something that happened, once, to one path of one goal."""

    id: str
    """Unique: the same event written twice counts once. It begins with `decision_id:`."""
    goal: str
    kind: str
    """`attempt`, `report`, `score`, `judge`, `action` or `momentum`."""
    decision_id: str
    path_id: str
    origin: str
    """Which Router wrote it: a worker leaves out its own when it takes others' evidence in."""
    at: float
    """Wall-clock time, seconds since the epoch."""
    evidence: EvidenceKind
    reward: float | None
    """In [0, 1]; None: it says nothing about the path."""
    data: Mapping[str, JSON]
    """What status, explain and replay need; no prompt, output or key."""


class Batch(NamedTuple):
    """Others' evidence about one arm, summed."""

    path_id: str
    evidence: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """One way to answer a request: a model and the parameters it runs with.

    Args:
        model: the provider's model name, with an optional prefix: `groq/llama-3.3-70b-versatile`.
        params: sent with each call (`temperature`, `max_tokens`, ...); JSON values.
        name: the path's id, where the one made of model and params is not wanted.
        provider: one of `providers.PROVIDERS`; by default told from the model's name. "adapter":
            a framework's model object makes the calls, and the Router's own methods cannot.
        base_url: an OpenAI-compatible server to call instead of the provider's own.
        api_key: never shown, logged or stored.
        api_key_env: the environment variable that holds the key.
        timeout_s: longest time of one attempt; for a stream its longest silence.
        first_token_s: longest time until a stream's first token.
        input_usd_per_mtok: list price, USD per million prompt tokens.
        output_usd_per_mtok: list price, USD per million completion tokens.
        cached_input_usd_per_mtok: the same for prompt tokens read from the provider's cache.
        context_window: tokens of prompt and completion together.
        tools: False: the path cannot call tools and is not eligible where tools are given.
        images: False: the path cannot read images and is not eligible where there are any.
        audio: the same for sound.
        files: the same for documents, such as PDF.
        video: the same for films.
    """

    model: str
    params: Mapping[str, JSON] = field(default_factory=dict, repr=False)
    """Not in the repr: headers among them may hold a key. The id shows the plain ones."""
    name: str | None = None
    provider: str | None = None
    base_url: str | None = field(default=None, repr=False)
    """Not in the repr: it may hold a login. The id names the server without."""
    api_key: str | None = field(default=None, repr=False)
    api_key_env: str | None = None
    timeout_s: float | None = None
    first_token_s: float | None = None
    input_usd_per_mtok: float | None = None
    output_usd_per_mtok: float | None = None
    cached_input_usd_per_mtok: float | None = None
    context_window: int | None = None
    tools: bool | None = None
    images: bool | None = None
    audio: bool | None = None
    files: bool | None = None
    video: bool | None = None
    id: str = field(init=False, default="")
    """Stable across processes; two paths that differ only in params have two ids."""

    def __post_init__(self) -> None:
        from .paths import checked_id  # the record's checks live beside the parser

        object.__setattr__(self, "id", checked_id(self))

    def __deepcopy__(self, memo: dict[int, object]) -> Path:
        """Itself, with its key, which `asdict` and pickle leave out by copying it."""
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """An order from the plan: make this one provider call."""

    path: Path
    number: int
    timeout_s: float
    first_token_s: float | None = None
    ends_at: float | None = None
    """When the call's deadline is over, on the Router's clock; drivers of held streams keep it."""


@dataclass(frozen=True, slots=True)
class Wait:
    """An order from the plan: wait, then send `Waited`."""

    seconds: float


@dataclass(frozen=True, slots=True)
class FirstChunk:
    """A stream's first content has arrived."""


@dataclass(frozen=True, slots=True)
class Succeeded(Generic[T]):
    """The provider answered; whether the answer is any good is the gate's to say."""

    answer: T


@dataclass(frozen=True, slots=True)
class Failed:
    error: Exception


@dataclass(frozen=True, slots=True)
class Waited:
    """The wait that the plan asked for is over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What is recorded of one finished attempt."""

    path_id: str
    number: int
    reward: float | None
    """1.0 passed, 0.0 failed, None: it says nothing about the path."""
    evidence: EvidenceKind
    """What the reward speaks about."""
    failure: Failure | None
    latency_s: float
    first_token_s: float | None
    usage: Usage | None
    cost_usd: float | None
    finish_reason: str | None
    model: str | None
    abandoned: bool = False
    """The caller left before the end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One routed call: which path answered, what was tried, at what cost."""

    id: str
    goal: str
    path: Path
    """The path whose answer the caller got."""
    pull: Pull
    """The first choice, made before anything was tried."""
    outcomes: tuple[Outcome, ...]
    verified: bool
    """True: the answer passed gate 1."""

    @property
    def attempts(self) -> int:
        return len(self.outcomes)

    @property
    def cost_usd(self) -> float | None:
        """All attempts together; None where one of them is of unknown price."""
        costs = [outcome.cost_usd for outcome in self.outcomes]
        return None if any(cost is None for cost in costs) else sum(c for c in costs if c)

    @property
    def latency_s(self) -> float:
        return sum(outcome.latency_s for outcome in self.outcomes)
