"""Many questions as one batch of the Message Batches API, at half the price.

The batch stands in the ledger before it is sent and its id as soon as the vendor took it, so that a process
that is killed leaves a batch that the next one reads, not one that is sent again. A reply that was lost is
looked for among the vendor's newest batches. What comes too late for one plan serves the next.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import select

from sync.briefs.claude import GIVES_UP_AFTER, LASTING, Claude, read_message, usage_of
from sync.briefs.cost import micros
from sync.briefs.kept import Kept, keep
from sync.briefs.prompt import Question, messages_of
from sync.briefs.spend import Purse, settle
from sync.store import Store
from sync.store.briefs import BriefBatchRow

LARGEST: Final = 2_000  # questions of a batch: the vendor takes 100,000, or 256 MB
FIRST_PAUSE: Final = 2.0  # seconds between two looks, half as long again each time
LONGEST_PAUSE: Final = 60.0
JUST_SENT: Final = timedelta(minutes=10)  # another process may be sending it this moment
SENDING, SENT, READ, LOST = "sending", "sent", "read", "lost"


@dataclass(slots=True, kw_only=True)
class Batches:
    """The batches of one installation. `look` is called at each look at one that is under way."""

    claude: Claude
    store: Store
    clock: Callable[[], datetime]
    look: Callable[[], None] = lambda: None
    _unanswered: int = field(default=0, init=False)  # looks in a row that the service did not answer

    def under_way(self) -> Set[str]:
        """The keys of questions that were sent and not read yet, after reading what is ready."""
        waiting: set[str] = set()
        with self.store.session() as session:
            rows = session.scalars(
                select(BriefBatchRow).where(BriefBatchRow.status.in_((SENDING, SENT)))
            ).all()
        for row in rows:
            if not self._read(row):
                waiting.update(row.asked)
        return waiting

    def send(self, questions: Sequence[Question], purse: Purse) -> list[Question]:
        """Send them in batches; those for which the caps leave no room are given back."""
        left: list[Question] = []
        for start in range(0, len(questions), LARGEST):
            left += self._send(questions[start : start + LARGEST], purse)
        return left

    def wait(self, keys: Set[str], minutes: float, sleep: Callable[[float], None]) -> Set[str]:
        """The keys that are still not ready after so many minutes."""
        pause, waited = FIRST_PAUSE, 0.0
        while True:
            left = keys & self.under_way()
            if not left or waited >= minutes * 60 or self._unanswered >= GIVES_UP_AFTER:
                return left
            pause_now = min(pause, minutes * 60 - waited)
            self.look()
            sleep(pause_now)
            waited, pause = waited + pause_now, min(pause * 1.5, LONGEST_PAUSE)

    def _send(self, questions: Sequence[Question], purse: Purse) -> list[Question]:
        bounds = [self.claude.most(each, messages_of(each)) for each in questions]
        costs = [micros(bound, self.claude.price, batch=True) for bound in bounds]
        count = len(questions)
        reservation = None
        while count:  # as many as there is money for
            reservation = purse.reserve(sum(costs[:count]), sum(bound.tokens for bound in bounds[:count]))
            if reservation is not None:
                break
            count = count - 1 if count <= 2 else count * 3 // 4
        if reservation is None:
            return list(questions)
        asked = questions[:count]
        row = BriefBatchRow(
            id=secrets.token_hex(16),
            vendor_id=None,
            run_id=purse.run_id,
            model=self.claude.model,
            sent_at=self.clock(),
            status=SENDING,
            spend_id=reservation,
            asked={each.key: each.request.account_id for each in asked},
        )
        with self.store.begin() as session:
            session.add(row)
        self._hand_over(row, asked)
        return list(questions[count:])

    def _hand_over(self, row: BriefBatchRow, asked: Sequence[Question]) -> None:
        import anthropic

        requests: Any = [
            {"custom_id": each.key, "params": self.claude.params(each, messages_of(each))} for each in asked
        ]
        try:
            batch = self.claude.client.messages.batches.create(requests=requests)
        except anthropic.APIStatusError:  # it was refused: nothing is under way
            self._mark(row, LOST)
            settle(self.store, row.spend_id, 0, 0)
        except anthropic.APIConnectionError:
            return  # it may be under way: the next look tells
        else:
            self._mark(row, SENT, batch.id)

    def _read(self, row: BriefBatchRow) -> bool:
        """Whether nothing more is to come of the batch: its results are kept, or it is lost."""
        import anthropic

        try:
            vendor_id = row.vendor_id or self._found(row)
            if vendor_id is None:  # it never got there, unless it is on its way
                return self.clock() - row.sent_at > JUST_SENT and self._given_up(row, cost=0)
            batch = self.claude.client.messages.batches.retrieve(vendor_id)
            if batch.processing_status != "ended":
                self._unanswered = 0
                return False
            if batch.results_url is None or not self._is_ours(batch.results_url):
                return self._given_up(row)
            results = list(self.claude.client.messages.batches.results(vendor_id))
        except (anthropic.AnthropicError, ValueError) as error:
            if isinstance(error, anthropic.APIStatusError) and error.status_code == 404:
                return self._given_up(row)
            self._unanswered += 1
            return False
        self._unanswered = 0
        self._keep(row, results)
        return True

    def _keep(self, row: BriefBatchRow, results: Sequence[Any]) -> None:
        """Keep what was answered, and settle what it cost."""
        kept, used, cost = [], 0, 0
        if not any(each.custom_id in row.asked for each in results):
            self._given_up(row)  # a stranger's batch that looked like ours
            return
        for each in results:
            if each.custom_id not in row.asked or each.result.type != "succeeded":
                continue
            answer, usage = read_message(each.result.message), usage_of(each.result.message)
            price = micros(usage, self.claude.price, batch=True)
            used, cost = used + usage.tokens, cost + price
            if answer.fault is None or answer.fault in LASTING:
                kept.append(
                    Kept(
                        key=each.custom_id,
                        account_id=row.asked[each.custom_id],
                        model=row.model,
                        text=answer.text if answer.fault is None else None,
                        problems="" if answer.fault is None else answer.fault.value,
                        cost=price,
                    )
                )
        keep(self.store, kept, self.clock())
        settle(self.store, row.spend_id, cost, used)
        self._mark(row, READ)

    def _found(self, row: BriefBatchRow) -> str | None:
        """The vendor's id of a batch whose reply was lost: ours holds as many questions, and these."""
        with self.store.session() as session:
            known = set(session.scalars(select(BriefBatchRow.vendor_id)))
        for batch in self.claude.client.messages.batches.list(limit=100).data:
            counts = batch.request_counts
            total = counts.processing + counts.succeeded + counts.errored + counts.canceled + counts.expired
            if batch.id not in known and total == len(row.asked):
                self._mark(row, SENT, batch.id)
                return batch.id
        return None

    def _given_up(self, row: BriefBatchRow, cost: int | None = None) -> bool:
        """Nothing is to be had of it: what was reserved stays spent, unless it is known what it cost."""
        self._mark(row, LOST)
        if cost is not None:
            settle(self.store, row.spend_id, cost, 0)
        return True

    def _is_ours(self, url: str) -> bool:
        """Whether the key may be sent there."""
        return url.startswith(str(self.claude.client.base_url).rstrip("/") + "/")

    def _mark(self, row: BriefBatchRow, status: str, vendor_id: str | None = None) -> None:
        with self.store.begin() as session:
            held = session.get(BriefBatchRow, row.id)
            if held is not None:
                held.status = status
                held.vendor_id = vendor_id or held.vendor_id
