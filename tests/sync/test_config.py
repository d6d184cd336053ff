"""What upswell.toml and the environment may say, and what a wrong word is answered with."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.errors import SettingError
from sync.config import config_hash, load
from sync.settings import Settings
from sync.settings_starter import starter_toml

MINIMAL = '[crm]\nkind = "salesforce"\n'
Load = Callable[..., Settings]


@pytest.fixture
def load_text(tmp_path: Path) -> Load:
    """Load a configuration given as text."""

    def load_it(text: str, environ: Mapping[str, str] | None = None) -> Settings:
        file = tmp_path / "upswell.toml"
        file.write_text(text, encoding="utf-8")
        return load(file, environ or {})

    return load_it


def test_the_crm_kind_alone_is_a_configuration(load_text: Load, tmp_path: Path) -> None:
    """Everything else has a default, and the default files lie beside the configuration."""
    loaded = load_text(MINIMAL)
    assert loaded.target.horizon_days == 90
    assert loaded.state.url == f"sqlite:///{tmp_path}/upswell.sqlite"
    assert loaded.lake.folder == tmp_path / "lake"


@pytest.mark.parametrize("kind", ["salesforce", "hubspot"])
def test_the_starter_file_loads_as_it_is(load_text: Load, kind: Literal["salesforce", "hubspot"]) -> None:
    """`upswell init` writes a file that needs nothing but the login."""
    assert load_text(starter_toml(kind)).crm.kind == kind


def test_the_starter_file_names_every_section_and_setting(load_text: Load) -> None:
    """Who reads the starter file has seen every setting there is."""
    text = starter_toml("salesforce") + starter_toml("hubspot")
    for section in dataclasses.fields(Settings):
        assert f"[{section.name}" in text or f"[[{section.name}]]" in text
        value = getattr(load_text(MINIMAL), section.name)
        if dataclasses.is_dataclass(value):
            for key in dataclasses.fields(value):
                assert f"{key.name} = " in text or f".{key.name}]" in text


def test_every_line_of_the_starter_file_is_a_setting_when_uncommented(load_text: Load) -> None:
    """An example that would be refused is worse than none."""
    lines = []
    for line in starter_toml("salesforce").splitlines():
        bare = line.removeprefix("# ")
        is_setting = line.startswith("# ") and (bare.startswith("[[") or " = " in bare.split("#")[0][:26])
        lines.append(bare if is_setting else line)
    text = "\n".join(lines)
    loaded = load_text(text)
    assert loaded.exports[0].columns["user_id"] == "uid"
    assert loaded.products[0].price == 600.0
    assert loaded.plays["nurture"].do_not == ("name a price",)
    assert loaded.schedules["run"].quiet == ("20:00-05:00",)
    assert loaded.mapping["accounts"]["plan_tier"] == "Plan_Tier__c"


def test_the_environment_wins_over_the_file(load_text: Load) -> None:
    """A deployment can change one key without touching the file."""
    environ = {
        "UPSWELL_COMPANY__CURRENCY": "EUR",
        "UPSWELL_TARGET__STAGES": '["Closed Won", "Signed"]',
        "UPSWELL_TIERS__HIGH": "0.4",
        "UPSWELL_TARGET__COUNT_ARR_CHANGES": "false",
        "UPSWELL_REQUIRE_ALL": "1",
        "HOME": "/nowhere",
    }
    loaded = load_text(MINIMAL + '[company]\ncurrency = "USD"\n', environ)
    assert loaded.company.currency == "EUR"
    assert loaded.target.stages == ("Closed Won", "Signed")
    assert loaded.tiers.high == 0.4
    assert loaded.target.count_arr_changes is False


def test_secrets_show_nowhere(load_text: Load) -> None:
    """Neither the repr of the settings nor their hash tells a secret."""
    environ = {
        "UPSWELL_CRM__SALESFORCE__CLIENT_SECRET": "hunter2",
        "UPSWELL_STATE__URL": "postgresql+psycopg://me:hunter2@db/upswell",
        "UPSWELL_REDIS__URL": "redis://:hunter2@cache",
    }
    loaded = load_text(MINIMAL, environ)
    assert "hunter2" not in repr(loaded)
    other = load_text(MINIMAL, {name: value.replace("hunter2", "s3cret") for name, value in environ.items()})
    assert config_hash(loaded) == config_hash(other)
    assert loaded.crm.salesforce.client_secret.get_secret_value() == "hunter2"


def test_the_hash_changes_with_a_setting_and_not_with_its_place(load_text: Load) -> None:
    """A run can say whether it ran under the same settings as another."""
    first = load_text(MINIMAL + "[tiers]\nhigh = 0.4\nmedium = 0.1\n")
    assert config_hash(first) == config_hash(load_text("[tiers]\nmedium = 0.1\nhigh = 0.4\n" + MINIMAL))
    assert config_hash(first) != config_hash(load_text(MINIMAL + "[tiers]\nhigh = 0.4\nmedium = 0.2\n"))


WRONG = [
    ('[crm.salesforce]\nauht = "jwt"', "crm.salesforce.auht", "Did you mean auth?"),
    ('[crm.salesforce]\nauth = "password"', "crm.salesforce.auth", "'jwt'"),
    ('[crm.salesforce]\nlogin_url = "http://acme.example"', "crm.salesforce.login_url", "plain http"),
    ('[crm.salesforce]\nlogin_url = "https://me:pw@acme.example"', "crm.salesforce.login_url", "password"),
    ('[company]\ncurrency = "usd"', "company.currency", "ISO 4217"),
    ('[company]\ntimezone = "Mars/Base"', "company.timezone", "IANA"),
    ('[company]\nlanguage = "English"', "company.language", "en or pt-BR"),
    ("[company]\nfiscal_year_start = 13", "company.fiscal_year_start", "12"),
    ("[tiers]\nhigh = 0.7", "tiers", "descend"),
    ("[tiers]\nvery_high = 1.2", "tiers.very_high", "1"),
    ("[exprots]", "exprots", "Did you mean exports?"),
    ('[[exports]]\nkind = "usage"', "exports[1]", "needs path"),
    ('[[exports]]\nkind = "usage"\npath = "x"\nurl = "postgres://h/d"', "exports[1]", "needs path"),
    ('[[exports]]\nkind = "usage"\nurl = "postgres://h/d"', "exports[1]", "go together"),
    ('[[exports]]\nkind = "usage"\nurl = "somewhere"\ntable = "t"', "exports[1].url", "no database URL"),
    (
        '[[exports]]\nkind = "usage"\npath = "x"\ncolumns = { valeu = "v" }',
        "exports[1]",
        "Did you mean value?",
    ),
    ('[mapping.accounts]\nplan_teir = "P__c"', "mapping", "Did you mean plan_tier?"),
    ('[mapping.acounts]\nseats = "S__c"', "mapping", "Did you mean accounts?"),
    ('[mapping.fields]\nscoer = "S__c"', "mapping", "Did you mean score?"),
    ('[mapping.usage]\nvalue = "V__c"', "mapping", 'object = "Usage__c"'),
    ('[mapping.usage]\nobject = "U__c"\nvalue = "V__c"', "mapping", "account_crm_id"),
    ('[mapping.usage]\nobject = "U__c"\naccount_crm_id = "A__c"\nvalue = "V__c"', "mapping", "needs metric"),
    ('[mapping.usage]\nobject = "U__c"\naccount_crm_id = "A__c"\nvalu = "V__c"', "mapping", "needs metric"),
    ('[mapping.accounts]\nobject = "Customer__c"', "mapping", "Upswell writes"),
    ('[mapping.usages]\nobject = "U__c"', "mapping", "Did you mean usage?"),
    ('[redis]\nurl = "http://cache"', "redis.url", "redis://"),
    ('[state]\nurl = "upswell.sqlite"', "state.url", "sqlite:///"),
    ('[schedules]\nrun = { cron = "daily" }', "schedules.run.cron", "five fields"),
    ('[schedules]\nrun = { cron = "0 25 * * *" }', "schedules.run.cron", "hour"),
    ('[schedules]\nrun = { every = "often" }', "schedules.run.every", "15m"),
    ('[schedules]\nrun = { every = "6h", cron = "0 6 * * *" }', "schedules.run", "either"),
    ("[worker]\ntick_seconds = 0", "worker.tick_seconds", "greater than 0"),
    ('[[products]]\nid = "a"\nname = "A"\ntype = "seet"', "products[1].type", "'seat'"),
    ("[target]\nhorizon_days = true", "target.horizon_days", ""),
]


@pytest.mark.parametrize(("text", "setting", "hint"), WRONG)
def test_a_wrong_setting_names_itself_the_places_and_the_fix(
    load_text: Load, tmp_path: Path, text: str, setting: str, hint: str
) -> None:
    """One sentence is enough to mend it."""
    with pytest.raises(SettingError) as caught:
        load_text(MINIMAL + text)
    assert caught.value.setting == setting
    assert hint in str(caught.value)
    assert caught.value.searched[-1] == str(tmp_path / "upswell.toml")
    assert caught.value.searched[0].startswith("environment UPSWELL_")
    assert caught.value.fix


def test_an_unknown_variable_is_told_and_not_ignored(load_text: Load) -> None:
    """A typing mistake in the environment would else leave the default in force unnoticed."""
    with pytest.raises(SettingError, match=r"staet.*Did you mean state\?"):
        load_text(MINIMAL, {"UPSWELL_STAET__URL": "sqlite:///x"})


def test_two_products_with_one_id_are_refused(load_text: Load) -> None:
    """A product's id is how scores name it."""
    one = '[[products]]\nid = "a"\nname = "A"\ntype = "seat"\n'
    with pytest.raises(SettingError, match="stands twice"):
        load_text(MINIMAL + one + one)


def test_a_file_that_is_named_must_exist(tmp_path: Path) -> None:
    """The path is told as given, and what makes a first file."""
    with pytest.raises(SettingError, match="upswell init"):
        load(tmp_path / "none.toml", {})
    with pytest.raises(SettingError, match=r"UPSWELL_CONFIG.*none\.toml"):
        load(None, {"UPSWELL_CONFIG": str(tmp_path / "none.toml")})


def test_the_named_file_wins_over_the_variable_and_that_over_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """--config, then $UPSWELL_CONFIG, then ./upswell.toml, then the environment alone."""
    monkeypatch.chdir(tmp_path)
    for name in ("flag", "variable", "upswell"):
        (tmp_path / f"{name}.toml").write_text(f'{MINIMAL}[company]\nname = "{name}"\n')
    environ = {"UPSWELL_CONFIG": "variable.toml"}
    assert load(Path("flag.toml"), environ).company.name == "flag"
    assert load(None, environ).company.name == "variable"
    assert load(None, {}).company.name == "upswell"
    (tmp_path / "upswell.toml").unlink()
    assert load(None, {"UPSWELL_CRM__KIND": "hubspot"}).crm.kind == "hubspot"
    with pytest.raises(SettingError, match=r"crm\.kind.*absent"):
        load(None, {})


def test_a_file_that_is_no_toml_is_told_with_its_line(load_text: Load) -> None:
    """The place of the fault comes from the parser."""
    with pytest.raises(SettingError, match="line 2"):
        load_text("[crm]\nkind = salesforce\n")


def test_loopback_may_be_reached_by_plain_http(load_text: Load) -> None:
    """The sandbox runs on this machine."""
    text = MINIMAL + '[crm.salesforce]\nlogin_url = "http://127.0.0.1:8080/"'
    assert load_text(text).crm.salesforce.login_url == "http://127.0.0.1:8080"


@given(st.text(max_size=40))
@settings(derandomize=True, deadline=None, max_examples=60)
def test_any_text_in_the_environment_loads_or_is_a_setting_error(text: str) -> None:
    """No value makes the loader fail in another way."""
    for key in ("CRM__SALESFORCE__LOGIN_URL", "COMPANY__TIMEZONE", "TIERS__HIGH", "EXPORTS", "STATE__URL"):
        try:
            load(None, {"UPSWELL_CRM__KIND": "salesforce", f"UPSWELL_{key}": text})
        except SettingError as error:
            told = error.fix
        else:
            told = "loaded"
        assert told
