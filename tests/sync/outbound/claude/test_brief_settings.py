"""What [briefs] says of Claude: prices that are known, a key that is there, and who writes without one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from connectors.errors import SettingError
from sync.brief_desk import open_desk, price_of
from sync.briefs.cost import PRICES, Price, Usage, micros, most, usual
from sync.config import load
from sync.settings_briefs import BriefPrice, BriefSettings


def settings(tmp_path: Path, text: str) -> BriefSettings:
    """[briefs] of a file that holds this text."""
    file = tmp_path / "upswell.toml"
    file.write_text(f'[crm]\nkind = "salesforce"\n[briefs]\n{text}\n')
    return load(file, {}).briefs


def test_the_template_writes_unless_asked_otherwise(tmp_path: Path, office: Any) -> None:
    """No desk is opened, and no key needed."""
    asked = settings(tmp_path, "")
    assert (asked.provider, asked.model) == ("template", "claude-sonnet-5-5")
    with open_desk(asked, office.store, run_id="r", clock=None, sleep=None, tell=None, notice=None) as desk:  # type: ignore[arg-type]
        assert desk is None


def test_a_key_may_come_from_a_file_and_must_come_from_somewhere(tmp_path: Path, office: Any) -> None:
    """The error says where it was looked for."""
    (tmp_path / "key").write_text("sk-ant-from-a-file\n")
    asked = settings(tmp_path, 'provider = "anthropic"\napi_key_file = "key"')
    options: dict[str, Any] = {"run_id": "r", "clock": None, "sleep": None, "tell": None, "notice": None}
    with open_desk(asked, office.store, **options) as desk:
        assert desk is not None
        assert desk.claude.client.api_key == "sk-ant-from-a-file"
        assert (desk.claude.client.max_retries, desk.claude.client.timeout) == (0, 60.0)
        assert "sk-ant" not in repr(desk)
    without = settings(tmp_path, 'provider = "anthropic"')
    with (
        pytest.raises(SettingError, match="UPSWELL_BRIEFS__API_KEY"),
        open_desk(without, office.store, **options),
    ):
        pass


def test_a_key_goes_to_no_host_without_https(tmp_path: Path) -> None:
    """Only this machine may be reached without it."""
    with pytest.raises(SettingError, match="without https"):
        settings(tmp_path, 'base_url = "http://proxy.example"')
    assert settings(tmp_path, 'base_url = "http://127.0.0.1:8080"').base_url == "http://127.0.0.1:8080"


def test_a_model_without_a_price_is_refused(tmp_path: Path) -> None:
    """A cap that nobody can reckon would hold nothing."""
    with pytest.raises(SettingError, match=r"set briefs\.price"):
        settings(tmp_path, 'provider = "anthropic"\nmodel = "claude-next"')
    text = 'provider = "anthropic"\nmodel = "claude-next"\nprice = { input = 7, output = 9.5 }'
    assert price_of(settings(tmp_path, text)) == Price.of("7", "9.5")
    assert (
        price_of(BriefSettings(provider="anthropic", api_key=SecretStr("x"))) == PRICES["claude-sonnet-5-5"]
    )
    own = BriefPrice(input=1, output=2, cache_write=3, cache_read=4)
    assert price_of(BriefSettings(price=own)).cache_read == 4


def test_money_is_counted_in_millionths_and_rounded_up() -> None:
    """A million tokens of input at two dollars are two dollars; a batch is half of it."""
    price = Price.of("2", "10")
    assert micros(Usage(input=1_000_000), price) == 2_000_000
    assert micros(Usage(output=1), price) == 10
    assert micros(Usage(cache_read=1), price) == 1  # a fifth of a millionth
    assert micros(Usage(input=3, output=3), price, batch=True) == 18
    assert (price.cache_write, price.cache_read) == (
        PRICES["claude-sonnet-5-5"].cache_write,
        price.input / 10,
    )


def test_a_guess_is_below_the_reservation() -> None:
    """What is said is what it takes as a rule; what is reserved is the most."""
    price = Price.of("2", "10")
    guess = micros(usual(8_000, 1_500, 1), price)
    assert guess < micros(most(9_500, 4_000), price)
    assert usual(8_000, 0, 0).tokens == 0
