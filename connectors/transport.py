"""The one HTTP door: a requests session with timeouts, retries, redaction and a count of its calls.

Vendors' client libraries get this session instead of their own, because on their own they wait for
ever, follow redirects with the token, or send a write again after its reply was lost.
"""

from __future__ import annotations

import ipaddress
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import IO, Any, Final, TypeVar
from urllib.parse import urlsplit

import requests
import tenacity
import urllib3
from requests.adapters import HTTPAdapter

from connectors.errors import (
    AmbiguousError,
    QuotaError,
    SettingError,
    TerminalError,
    TransientError,
    UpswellError,
)
from connectors.redaction import Redactor

T = TypeVar("T")
_ADDRESS: Final = re.compile(
    r"https?://(?:[A-Za-z0-9][A-Za-z0-9._-]*|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?(?:/[A-Za-z0-9._~-]+)*/?"
)
_PIECE: Final = 1 << 18  # bytes of a body that are in memory on their way into a file
_LONGEST_RETRY_AFTER: Final = 120.0  # seconds; longer is a pause for the scheduler, not for a socket


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """Seconds to wait for a connection and between two bytes of a reply."""

    connect: float = 5.0
    read: float = 60.0

    @property
    def longest(self) -> float:
        """Seconds after which a call has ended, with a reply or without."""
        return self.connect + self.read


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How often and how patiently a passing fault is retried; `sleep` is replaceable."""

    attempts: int = 5
    first_wait: float = 0.5  # seconds, doubled each time, with jitter
    longest_wait: float = 20.0
    sleep: Callable[[float], None] = time.sleep

    def run(self, call: Callable[[], T], *, resend_lost: bool) -> T:
        """The call's result, repeated while it raises TransientError.

        QuotaError is never retried here (it passes in hours). AmbiguousError is retried only if
        `resend_lost`: true for reads, false for writes, which are read back instead.
        """

        def passing(error: BaseException) -> bool:
            if isinstance(error, AmbiguousError):
                return resend_lost
            if isinstance(error, QuotaError):
                return False
            return isinstance(error, TransientError) and (error.retry_after or 0.0) <= _LONGEST_RETRY_AFTER

        retrying = tenacity.Retrying(
            stop=tenacity.stop_after_attempt(self.attempts),
            wait=self._wait,
            retry=tenacity.retry_if_exception(passing),
            sleep=self.sleep,
            reraise=True,
        )
        return retrying(call)

    def _wait(self, state: tenacity.RetryCallState) -> float:
        """What the server asked for, or exponential backoff with jitter."""
        error = state.outcome.exception() if state.outcome is not None else None
        asked = error.retry_after if isinstance(error, TransientError) else None
        if asked is not None:
            return asked
        backoff = tenacity.wait_exponential_jitter(
            multiplier=self.first_wait, max=self.longest_wait, jitter=self.first_wait
        )
        return backoff(state)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestSeen:
    """One request that left, for the request log: no query string, no header, no body."""

    method: str
    host: str
    path: str
    status: int | None  # None: no reply came
    seconds: float


def is_loopback(host: str | None) -> bool:
    """Whether a host names this machine."""
    if host is None:
        return False
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_url(url: str, *, setting: str) -> str:
    """The URL without a trailing slash. Raises SettingError unless it is https, or http to this machine.

    Paths are put behind it, so it is a scheme, a host and at most a plain path: no query, no fragment."""
    try:
        parts = urlsplit(url)
    except ValueError:  # a half-open bracket, for one
        parts = urlsplit("")
    if parts.scheme not in {"https", "http"} or not parts.hostname:
        raise SettingError(
            f"'{url}' is no web address.",
            setting=setting,
            searched=(),
            fix="Give a full address such as https://mycompany.my.salesforce.com.",
        )
    if parts.username is not None or parts.password is not None:
        raise SettingError(
            f"The address of {parts.hostname} carries a user name or password.",
            setting=setting,
            searched=(),
            fix="Take it out of the address; credentials have settings of their own.",
        )
    if _ADDRESS.fullmatch(url) is None or ".." in url:
        raise SettingError(
            f"The address of {parts.hostname!r} has something in or behind it that does not belong there.",
            setting=setting,
            searched=(),
            fix="Give scheme and host only, such as https://mycompany.my.salesforce.com.",
        )
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise SettingError(
            f"'{url}' is plain http, which would send the login unencrypted.",
            setting=setting,
            searched=(),
            fix="Use https. Plain http is accepted for this machine (127.0.0.1, localhost) only.",
        )
    return url.rstrip("/")


class _LoopbackAdapter(HTTPAdapter):
    """Speaks plain http to this machine, also where a client library insists on https."""

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        parts = urlsplit(request.url or "")
        host = parts.hostname
        if not is_loopback(str(host) if host is not None else None):
            raise requests.exceptions.InvalidURL(f"plain http to {parts.hostname} is refused")
        request.url = str(parts._replace(scheme="http").geturl())
        kwargs["proxies"] = {}  # a company proxy knows nothing of this machine's ports
        return super().send(request, *args, **kwargs)


def check_credential(value: str | None, *, setting: str) -> None:
    """Raise SettingError for a credential with a blank, a line's end or a letter that none has."""
    if value and re.fullmatch(r"[!-~]+", value) is None:
        raise SettingError(
            "It holds a blank, a line's end or a letter that no such credential has.",
            setting=setting,
            searched=(),
            fix="Copy it again, without what stands around it.",
        )


def _own_headers(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Authentication that changes nothing: without it, requests lets a ~/.netrc replace the token."""
    return request


class HttpDoor(requests.Session):
    """A requests session for one remote system; raises errors of connectors.errors only.

    `calls` counts requests that left. `last_headers` are those of the last reply. Redirects are not
    followed. A failure before the request left is TransientError (safe to send again); a lost reply
    is AmbiguousError.
    """

    def __init__(
        self,
        *,
        timeouts: Timeouts | None = None,
        ca_file: str | None = None,
        plain_http: tuple[str, ...] = (),
        redact: Redactor | None = None,
        on_request: Callable[[RequestSeen], None] | None = None,
    ) -> None:
        super().__init__()
        self.redact = redact if redact is not None else Redactor()
        self.calls = 0
        self.last_headers: Mapping[str, str] = {}
        self._last_reply = 0.0
        self.timeouts = timeouts if timeouts is not None else Timeouts()
        self._on_request = on_request
        self._environment: dict[tuple[Any, ...], Mapping[str, Any]] = {}
        self.auth = _own_headers
        self.mount("http://", _LoopbackAdapter())
        for url in plain_http:
            self.speak_plain_http(url)
        if ca_file is not None:
            if not Path(ca_file).is_file():
                raise SettingError(
                    f"The file {ca_file} does not exist.",
                    setting="ca_file",
                    searched=(),
                    fix="Name a PEM file with your certificate authority, or leave the setting out.",
                )
            self.verify = ca_file

    def speak_plain_http(self, url: str) -> None:
        """Speak http where a client library insists on https to this address of this machine."""
        if urlsplit(url).scheme == "http" and is_loopback(urlsplit(url).hostname):
            self.mount(f"https://{urlsplit(url).netloc}", _LoopbackAdapter())

    def merge_environment_settings(  # type: ignore[override]  # requests leaves its types to the reader
        self, url: str, proxies: Any, stream: Any, verify: Any, cert: Any
    ) -> dict[str, Any]:
        """Proxies and certificates that the environment names, looked up once a server.

        requests reads the whole environment anew for each call, a seventh of a small one's CPU (measured)."""
        if proxies:
            return dict(super().merge_environment_settings(url, proxies, stream, verify, cert))
        asked = (*urlsplit(url)[:2], stream, verify, cert)
        if asked not in self._environment:
            self._environment[asked] = dict(super().merge_environment_settings(url, {}, stream, verify, cert))
        return dict(self._environment[asked])

    @property
    def server_time(self) -> datetime | None:
        """The server's clock now: its last reply's Date header and the time that has passed since."""
        stamp = self.last_headers.get("Date")
        if not stamp:
            return None
        return parsedate_to_datetime(stamp) + timedelta(seconds=time.monotonic() - self._last_reply)

    def request(  # type: ignore[override]  # requests lists twenty keywords
        self, method: str | bytes, url: str | bytes, *, into: IO[bytes] | None = None, **kwargs: Any
    ) -> requests.Response:
        """The reply, whatever its status. Raises TransientError, AmbiguousError or TerminalError.

        The body of a good one goes `into` a file where one is given, from its start, and not into memory."""
        kwargs.setdefault("timeout", (self.timeouts.connect, self.timeouts.read))
        kwargs.setdefault("allow_redirects", False)
        if into is not None:
            kwargs["stream"] = True
        kwargs.setdefault("verify", self.verify)  # per request, or an environment variable overrides it
        parts = urlsplit(url if isinstance(url, str) else url.decode())
        address = str(parts.hostname) + (f":{parts.port}" if parts.port is not None else "")
        verb = method if isinstance(method, str) else method.decode()
        started = time.monotonic()
        status: int | None = None
        try:
            reply = super().request(method, url, **kwargs)
            status = reply.status_code
            if into is not None and status < 300:
                _save(reply, into)
            self.last_headers, self._last_reply = reply.headers, time.monotonic()
        except requests.exceptions.RequestException as error:
            raise self._explain(error, address) from None  # the original carries the request and its token
        finally:
            self.calls += 1
            if self._on_request is not None:
                self._on_request(
                    RequestSeen(
                        method=verb,
                        host=address,
                        path=self.redact(parts.path),
                        status=status,
                        seconds=time.monotonic() - started,
                    )
                )
        return reply

    def _explain(self, error: requests.exceptions.RequestException, address: str) -> UpswellError:
        """Our error for a failure of the connection."""
        if isinstance(error, requests.exceptions.SSLError):
            return TerminalError(
                f"No trusted TLS connection to {address}: {self._reason(error)}.",
                fix="Check the address; behind a company proxy, set ca_file to its certificate authority.",
            )
        if isinstance(error, requests.exceptions.ProxyError):
            return TransientError(
                f"The proxy on the way to {address} does not answer: {self._reason(error)}.",
                fix="Check the HTTPS_PROXY environment variable.",
            )
        if isinstance(error, requests.exceptions.ConnectTimeout) or _never_left(error):
            return TransientError(
                f"{address} can't be reached: {self._reason(error)}.",
                fix="Check the address in the settings, the network and the firewall.",
            )
        if isinstance(error, (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema)):
            return TerminalError(
                f"{address}: {self._reason(error)}.", fix="Correct the address in the settings."
            )
        return AmbiguousError(
            f"{address} took the request, but its reply was lost: {self._reason(error)}.",
            fix="If it was a write, it is read back before anything is sent again.",
        )

    def _reason(self, error: Exception) -> str:
        """The innermost reason in a few words, redacted."""
        reason: object = error
        while isinstance(reason, BaseException):
            inner = getattr(reason, "reason", None) or next(
                (a for a in reason.args if isinstance(a, BaseException)), None
            )
            if inner is None:
                break
            reason = inner
        text = str(reason) or type(reason).__name__
        return self.redact(text.rpartition(">: ")[2].rstrip("."))


def _save(reply: requests.Response, file: IO[bytes]) -> None:
    """The body into the file, in place of what an earlier attempt left there."""
    file.seek(0)
    file.truncate()
    for piece in reply.iter_content(_PIECE):
        file.write(piece)
    file.flush()


def _never_left(error: requests.exceptions.RequestException) -> bool:
    """Whether the connection was not even made, so that the server can't have seen the request."""
    cause = error.args[0] if error.args else None
    reason = cause.reason if isinstance(cause, urllib3.exceptions.MaxRetryError) else cause
    return isinstance(reason, (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError))
