"""The one door to Anthropic's API: a question goes out, and an answer or the kind of fault comes back.

The SDK's own retries are off: it would wait for as long as a server says. Two tries, each paid for from the
purse before it is sent. What the vendor says in words is never kept: it may repeat what was asked.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from sync.briefs.cost import Price, Usage, micros, most
from sync.briefs.prompt import SCHEMA, Question
from sync.briefs.spend import Purse, settle

if TYPE_CHECKING:
    from anthropic import Anthropic
    from anthropic.types import Message

TRIES: Final = 2
FIRST_WAIT: Final = 2.0  # seconds before the second try, unless the server says otherwise
LONGEST_WAIT: Final = 60.0  # seconds: a server that asks for more is taken for away
GIVES_UP_AFTER: Final = 4  # briefs in a row that the service failed: it is away, and the rest need not wait


class Fault(StrEnum):
    """Why there is no draft."""

    BUSY = "busy"  # 429
    AWAY = "away"  # 5xx, overloaded
    LATE = "late"  # no answer in time
    BROKEN = "broken"  # the connection broke, before or amid the answer
    DENIED = "denied"  # 401, 403: no key, or none that may
    REJECTED = "rejected"  # 400, 404, 413, 422: the question is at fault
    TOO_LONG = "too_long"  # the model's window was full
    DECLINED = "declined"  # the model would not
    CUT = "cut"  # the answer was longer than max_tokens
    NOT_JSON = "not_json"  # or not of the schema
    CAP = "cap"  # it would have cost more than allowed
    GAVE_UP = "gave_up"  # the service failed several times in a row
    WAITING = "waiting"  # its batch is not ready
    UNSOUND = "unsound"  # the check refused it twice
    LANGUAGE = "language"  # the check does not know the language


PASSING: Final = frozenset({Fault.BUSY, Fault.AWAY, Fault.LATE, Fault.BROKEN})
"""Faults that a second try may not meet."""
SERVICE: Final = PASSING | {Fault.DENIED}
"""Faults of the service, not of the account."""
LASTING: Final = frozenset({Fault.DECLINED, Fault.TOO_LONG, Fault.UNSOUND})
"""Faults that the same question would meet again: it is not asked again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A draft's JSON as text, or the fault; what it cost in millionths of a US dollar."""

    text: str = ""
    fault: Fault | None = None
    cost: int = 0


@dataclass(slots=True, kw_only=True)
class Claude:
    """Asks one model. `sleep` waits between two tries."""

    client: Anthropic
    model: str
    price: Price
    max_tokens: int
    effort: str
    sleep: Callable[[float], None]
    gives_up_after: int = GIVES_UP_AFTER
    longest_wait: float = LONGEST_WAIT
    _failed: int = field(default=0, init=False)

    def params(self, question: Question, messages: list[dict[str, Any]]) -> dict[str, Any]:
        """The body of a request."""
        output: dict[str, Any] = {"format": {"type": "json_schema", "schema": dict(SCHEMA)}}
        if self.effort:
            output["effort"] = self.effort
        return {
            "model": self.model,
            "max_tokens": self.max_tokens,
            "system": [dict(block) for block in question.system],
            "messages": messages,
            "output_config": output,
        }

    def most(self, question: Question, messages: list[dict[str, Any]]) -> Usage:
        """The most that an answer can use."""
        own = len(json.dumps(messages, ensure_ascii=False).encode())
        return most(question.fixed_bytes + own, self.max_tokens)

    def ask(self, question: Question, messages: list[dict[str, Any]], purse: Purse) -> Answer:
        """The answer, after two tries at most, each of them paid for first."""
        if self._failed >= self.gives_up_after:
            return Answer(fault=Fault.GAVE_UP)
        bound, cost = self.most(question, messages), 0
        answer = Answer(fault=Fault.CAP)
        for tries in range(1, TRIES + 1):
            reservation = purse.reserve(micros(bound, self.price), bound.tokens)
            if reservation is None:
                answer = Answer(fault=Fault.CAP)
                break
            answer, usage, wait = self._try(self.params(question, messages))
            if usage is not None:
                spent = micros(usage, self.price)
                settle(purse.store, reservation, spent, usage.tokens)
                cost += spent
            if answer.fault not in PASSING or tries == TRIES or wait > self.longest_wait:
                break
            self.sleep(wait)
        if answer.fault is Fault.DENIED:
            self._failed = self.gives_up_after
        else:
            self._failed = self._failed + 1 if answer.fault in SERVICE else 0
        return Answer(text=answer.text, fault=answer.fault, cost=cost)

    def _try(self, params: Mapping[str, Any]) -> tuple[Answer, Usage | None, float]:
        """One try: its answer, what it used (None where nobody knows), seconds to wait before the next."""
        import anthropic

        try:
            message = self.client.messages.create(**params)
            return read_message(message), usage_of(message), 0.0
        except anthropic.APITimeoutError:
            return Answer(fault=Fault.LATE), None, FIRST_WAIT  # it may have been answered, and be billed
        except anthropic.APIStatusError as error:
            return Answer(fault=fault_of(error.status_code)), Usage(), _wait(error.response.headers)
        except anthropic.APIConnectionError:
            return Answer(fault=Fault.BROKEN), None, FIRST_WAIT
        except (anthropic.AnthropicError, ValueError):  # what came back is no message
            return Answer(fault=Fault.NOT_JSON), None, FIRST_WAIT


def read_message(message: Message) -> Answer:
    """The text of a message, or why it holds no draft."""
    match message.stop_reason:
        case "refusal":
            return Answer(fault=Fault.DECLINED)
        case "max_tokens":
            return Answer(fault=Fault.CUT)
        case "model_context_window_exceeded":
            return Answer(fault=Fault.TOO_LONG)
        case "end_turn" | "stop_sequence":
            text = "".join(block.text for block in message.content if block.type == "text")
            return Answer(text=text)
    return Answer(fault=Fault.NOT_JSON)


def usage_of(message: Message) -> Usage:
    """What the vendor counted."""
    counted = message.usage
    return Usage(
        input=counted.input_tokens,
        output=counted.output_tokens,
        cache_write=counted.cache_creation_input_tokens or 0,
        cache_read=counted.cache_read_input_tokens or 0,
    )


def fault_of(status: int) -> Fault:
    """The fault behind an HTTP status."""
    if status in (401, 403):
        return Fault.DENIED
    if status == 429:
        return Fault.BUSY
    if status in (408, 409) or status >= 500:
        return Fault.AWAY
    return Fault.REJECTED


def _wait(headers: Mapping[str, str]) -> float:
    """Seconds that the server asks for, or ours."""
    for name, scale in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        with suppress(KeyError, ValueError):
            return max(0.0, float(headers[name]) * scale)
    return FIRST_WAIT


def open_client(*, api_key: str, base_url: str, timeout: float) -> Anthropic:
    """The SDK's client as we want it: no retries of its own, no redirects, no tracing."""
    import anthropic

    return anthropic.Anthropic(
        api_key=api_key,
        base_url=base_url,
        timeout=timeout,
        max_retries=0,
        open_telemetry=False,
        http_client=anthropic.DefaultHttpxClient(follow_redirects=False, timeout=timeout),
    )
