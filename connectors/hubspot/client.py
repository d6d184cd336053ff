"""hubspot-api-client with the traps taken out: timeouts, one refresh, our errors, paced and counted calls.

What it changes in the library's behaviour (all measured on 12.0.0): the generated APIs wait without a
timeout and hand out a partial failure as if it were none; `api_request` opens a connection for every
call and prints its faults; a library retry sends a write again after its reply was lost. So there is
one way out, `api_request`, whose address, login and headers the library makes and our door sends.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import hubspot
import requests
from hubspot.utils.requests.http_request_builder import Request

from connectors.budget import Budget
from connectors.crm import Usage
from connectors.errors import AmbiguousError, LoginError, TerminalError
from connectors.hubspot.auth import Token, log_in, scopes_in
from connectors.hubspot.errors import error_of
from connectors.hubspot.paths import Paths, paths_of
from connectors.hubspot.settings import HubspotSettings
from connectors.pace import LocalPace, Pace, Rate
from connectors.transport import HttpDoor, RetryPolicy

_BEFORE_EXPIRY: Final = 60.0  # seconds that a token must still be good for when a call leaves
_SEARCHES: Final = Rate(name="searches", calls=5, seconds=1.0, strict=True)  # an account, all apps together
_BURST: Final = Rate(name="burst", calls=100, seconds=10.0)  # the smallest tier's; replies tell the account's


class HubspotClient(hubspot.Client):  # type: ignore[misc]  # the library ships no usable types
    """The library's client on our HTTP door; every call ends in a result or in one of our errors."""

    def __init__(
        self,
        settings: HubspotSettings,
        *,
        door: HttpDoor,
        retry: RetryPolicy,
        budget: Budget | None,
        pace: Pace | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.login = settings
        self.paths: Paths = paths_of(settings.api_version)
        self.door = door
        self._retry = replace(retry, sleep=self._pause)
        self._sleep = retry.sleep
        self._budget = budget
        self._calls = 0
        self._over_limit = False  # the last reply was a 429, so the pause before the next try is a wait
        self._waited = 0.0
        self._org_usage: tuple[int, int] | None = None
        self._pace = pace if pace is not None else LocalPace(sleep=retry.sleep)
        base = settings.base_url.rstrip("/")
        self._clock = clock
        self._scopes: frozenset[str] | None = None
        token = log_in(settings, door, retry=retry)
        super().__init__(access_token=token.access_token, host=base, base_url=base)
        self._take(token)
        self.config["user_agent"] = "upswell"

    def get(self, path: str, params: Mapping[str, Any] | None = None) -> Any:
        """The JSON of a GET."""
        return self._json("GET", path, params=params, safe=True)

    def ask(self, path: str, body: Mapping[str, Any], params: Mapping[str, Any] | None = None) -> Any:
        """The JSON of a POST that only reads, so a lost reply is no reason not to send it again."""
        return self._json("POST", path, body=body, params=params, safe=True)

    def search(self, object_name: str, body: Mapping[str, Any]) -> Any:
        """The JSON of a search, held back to HubSpot's five a second."""
        return self._json(
            "POST", self.paths.search(object_name), body=body, safe=True, rates=(_SEARCHES, _BURST)
        )

    def send(self, path: str, body: Mapping[str, Any]) -> Any:
        """The JSON of a write, a partial result too, sent once: the caller counts its calls.

        Raises AmbiguousError when its reply was lost, or tells nothing, whatever status it has."""
        try:
            return self._json("POST", path, body=body, safe=False, once=True)
        except TerminalError as error:
            if error.status is None or error.status >= 300:
                raise
            raise AmbiguousError(f"HubSpot's reply to POST {path} does not say what became of it.") from None

    def set_up(self, path: str, body: Mapping[str, Any]) -> Any:
        """The JSON of a write to the account's setup, tried again while it certainly was not done."""
        return self._json("POST", path, body=body, safe=False)

    def change(self, path: str, body: Mapping[str, Any]) -> Any:
        """The JSON of a PATCH in the account's setup, tried again while it certainly was not done."""
        return self._json("PATCH", path, body=body, safe=False)

    def delete(self, path: str, params: Mapping[str, Any] | None = None) -> Any:
        """The JSON of a DELETE in the account's setup, tried again while it certainly was not done."""
        return self._json("DELETE", path, params=params, safe=False)

    def pages(self, path: str, params: Mapping[str, Any]) -> Iterator[Sequence[Mapping[str, Any]]]:
        """Pages of a list endpoint, to its end."""
        after: str | None = None
        while True:
            reply = self.get(path, {**params, **({"after": after} if after is not None else {})})
            yield reply["results"]
            after = ((reply.get("paging") or {}).get("next") or {}).get("after")
            if after is None:
                return

    @property
    def usage(self) -> Usage:
        """API calls of this connection, its waits for the rate limits, and what the last reply told."""
        used, limit = self._org_usage if self._org_usage is not None else (None, None)
        return Usage(
            calls=self._calls,
            org_used=used,
            org_limit=limit,
            waited=self._pace.waited + self._waited,
            ours=None if self._budget is None else self._budget.spent(),
        )

    def scopes(self) -> frozenset[str] | None:
        """What our app may do in the account; None where HubSpot does not tell."""
        if self._scopes is None and self.login.token:
            told = self.ask(self.paths.token_info, {"tokenKey": self.login.token})
            self._scopes = scopes_in(told)
        return self._scopes

    def close(self) -> None:
        """Give back the connections, and what was booked of the budget."""
        if self._budget is not None:
            self._budget.close()
        self._pace.close()
        self.door.close()

    def api_request(self, options: Mapping[str, Any]) -> requests.Response:
        """The library's one generic call, sent through our door; one attempt, whatever its status."""
        made = Request(self.config, dict(options))
        return self.door.request(made.get_method(), made.get_url(), **made.get_options_for_sending())

    def _json(
        self,
        method: str,
        path: str,
        *,
        safe: bool,
        once: bool = False,
        params: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        rates: Sequence[Rate] = (_BURST,),
    ) -> Any:
        options: dict[str, Any] = {"method": method, "path": path}
        if params:
            options["qs"] = params
        if body is not None:
            options["body"] = encode(body)
        what = f"{method} {path}"

        def call() -> Any:
            return self._parsed(self._with_one_refresh(options, what=what, safe=safe, rates=rates), what)

        return call() if once else self._retry.run(call, resend_lost=safe)

    def _with_one_refresh(
        self, options: Mapping[str, Any], *, what: str, safe: bool, rates: Sequence[Rate]
    ) -> requests.Response:
        """The good reply. An OAuth token is renewed before it expires ("API guidelines": a 401 is no sign of
        that), and once more when HubSpot refuses it all the same; the second refusal is final."""
        if self._clock() >= self._fresh_until:
            self._take(log_in(self.login, self.door, retry=self._retry))
        for last in (False, True):
            self._before()
            with self._pace.turn(*rates):
                reply = self.api_request(options)
            self._after(reply.headers)
            self._over_limit = reply.status_code == 429
            if reply.status_code < 300:
                return reply
            if reply.status_code != 401 or not self.login.uses_oauth:
                raise error_of(reply, what=what, writing=not safe, redact=self.door.redact)
            if not last:
                self._take(log_in(self.login, self.door, retry=self._retry))
        raise LoginError(
            "HubSpot gives a token and then refuses it.",
            record=self.login.base_url,
            status=401,
            fix="Check that the app is still installed in the account and that base_url is right.",
        )

    def _take(self, token: Token) -> None:
        """Use this token from now on, until shortly before it expires."""
        self.access_token, self._scopes = token.access_token, token.scopes
        self._fresh_until = self._clock() + token.lives - min(_BEFORE_EXPIRY, token.lives / 10)

    def _pause(self, seconds: float) -> None:
        """Sleep before another try; after a 429 that is waiting for a rate limit."""
        if self._over_limit:
            self._waited += seconds
        self._sleep(seconds)

    def _before(self) -> None:
        """Book the call that is about to leave."""
        self._over_limit = False
        if self._budget is not None:
            self._budget.spend()
        self._calls += 1

    def _after(self, headers: Mapping[str, str]) -> None:
        """Take over the limits that the reply tells; searches tell none."""
        told = {name: headers.get(f"X-HubSpot-RateLimit-{name}", "") for name in _HEADERS}
        if told["Max"].isdigit():
            self._pace.allow(_BURST, int(told["Max"]))
        if told["Daily"].isdigit() and told["Daily-Remaining"].isdigit():
            limit = int(told["Daily"])
            used = limit - int(told["Daily-Remaining"])
            self._org_usage = (used, limit)
            if self._budget is not None:
                self._budget.observe(used=used, limit=limit)

    def _parsed(self, reply: requests.Response, what: str) -> Any:
        """The reply's JSON, an object as everything is that this API tells; half of it is a lost reply."""
        if reply.status_code == 204:
            return {}
        try:
            told = reply.json()
        except ValueError:
            if reply.content.lstrip()[:1] in {b"", b"{", b"["}:
                raise AmbiguousError(
                    f"HubSpot's reply to {what} is cut off after {len(reply.content):,} bytes.",
                    status=reply.status_code,
                ) from None
            told = None
        if not isinstance(told, dict):
            raise TerminalError(
                "What answers there is not HubSpot's API: its reply is no JSON object.",
                record=self.login.base_url,
                fix="Correct base_url, or ask what stands between this machine and HubSpot.",
                status=reply.status_code,
            )
        return told


_HEADERS: Final = ("Max", "Daily", "Daily-Remaining")


def encode(body: Mapping[str, Any]) -> bytes:
    """JSON that has no NaN or infinity in it, which Python would write and HubSpot can't read."""
    return json.dumps(body, allow_nan=False, ensure_ascii=False, separators=(",", ":")).encode()
