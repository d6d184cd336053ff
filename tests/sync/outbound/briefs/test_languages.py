"""Every language says everything, by its own rules."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from datetime import date
from pathlib import Path

import pytest

from connectors.errors import SettingError
from infra.doubles.brief_requests import ask_for, by_template, reason_row
from model.reason_codes import CODES, spoken
from sync.briefs.facts import Fact
from sync.briefs.languages import FOLDER, Language, languages, speak
from sync.briefs.said import say_reason
from sync.briefs.scored import scored
from sync.briefs.slots import slots_of
from sync.briefs.values import say_day, say_money, say_value

AS_OF = date(2026, 11, 22)
FORMS_ONLY = re.compile(r"(\{[^}]*\})")


def texts_of(value: object, path: str = "") -> Iterator[tuple[str, str]]:
    """Every text of a language with the place at which it stands."""
    if isinstance(value, str):
        yield path, value
    elif is_dataclass(value):
        for each in fields(value):
            yield from texts_of(getattr(value, each.name), f"{path}/{each.name}")
    elif isinstance(value, dict):
        for key, part in value.items():
            yield from texts_of(part, f"{path}/{key}")
    elif isinstance(value, tuple):
        for place, part in enumerate(value):
            yield from texts_of(part, f"{path}/{place}")


@pytest.fixture(params=languages())
def language(request: pytest.FixtureRequest) -> Language:
    """Each language in turn."""
    return speak(request.param)


def test_the_five_languages_are_there() -> None:
    """English, Russian, German, French and Spanish."""
    assert set(languages()) >= {"de", "en", "es", "fr", "ru"}


def test_no_text_holds_a_digit_of_its_own(language: Language) -> None:
    """Numbers come from facts alone, in sentences and nouns."""
    for path, text in texts_of(language.texts):
        assert not any(char.isdigit() for char in FORMS_ONLY.sub("", text)), (path, text)


def test_a_language_says_what_english_says_about_the_same_facts(language: Language) -> None:
    """Text for text: the same keys and the same facts, so that none gets lost in translation."""
    english = dict(texts_of(speak("en").texts))
    here = dict(texts_of(language.texts))
    spoken_only = {path for path in english if not path.startswith("/nouns")}
    assert {path for path in here if not path.startswith("/nouns")} == spoken_only
    for path in spoken_only:
        same = slots_of(here[path]) == slots_of(english[path])
        # the words inside a subject may do without the figure, where grammar would suffer
        assert same or (path.endswith("/short") and not slots_of(here[path])), path
    own = {path.rsplit("/", 2)[1] for path in english if path.startswith("/nouns")}
    assert own <= {path.rsplit("/", 2)[1] for path in here if path.startswith("/nouns")}


def test_every_noun_has_the_forms_that_its_language_needs(language: Language) -> None:
    """The plural categories of CLDR in which whole numbers fall; `other` stands in for what is the same."""
    needed = {language.cldr.plural_form(number) for number in range(200)}
    for name, forms in language.texts.nouns.items():
        assert "other" in forms, name
        if len(forms) > 1:
            assert needed <= set(forms), name


@pytest.mark.parametrize(
    ("tag", "seats"),
    [
        ("en", ["1 seat", "2 seats", "5 seats", "21 seats", "1,000 seats"]),
        ("ru", ["1 место", "2 места", "5 мест", "21 место", "1 000 мест"]),
        ("de", ["1 Lizenz", "2 Lizenzen", "5 Lizenzen", "21 Lizenzen", "1.000 Lizenzen"]),
        ("fr", ["1 licence", "2 licences", "5 licences", "21 licences", "1 000 licences"]),
        ("es", ["1 licencia", "2 licencias", "5 licencias", "21 licencias", "1.000 licencias"]),
    ],
)
def test_seats_are_counted_as_people_count(tag: str, seats: list[str]) -> None:
    """One, two, five, twenty-one and a thousand."""
    facts = [Fact(id="seats", value=n, unit="seats", source="billing") for n in (1, 2, 5, 21, 1000)]
    assert [plain(say_value(fact, speak(tag), "EUR")) for fact in facts] == seats


@pytest.mark.parametrize(
    ("tag", "money"),
    [
        ("en", ["€12,345", "$12,345", "RUB 12,345", "¥12,345"]),
        ("ru", ["12 345 €", "12 345 $", "12 345 ₽", "12 345 ¥"]),
        ("de", ["12.345 €", "12.345 $", "12.345 RUB", "12.345 ¥"]),
        ("fr", ["12 345 €", "12 345 $US", "12 345 RUB", "12 345 JPY"]),
        ("es", ["12.345 €", "12.345 US$", "12.345 RUB", "12.345 JPY"]),
        ("en-GB", ["€12,345", "US$12,345", "RUB 12,345", "JP¥12,345"]),
    ],
)
def test_money_is_written_as_the_language_writes_it(tag: str, money: list[str]) -> None:
    """In whole units, the sign on its side."""
    told = [plain(say_money(12_345.4, speak(tag), code)) for code in ("EUR", "USD", "RUB", "JPY")]
    assert told == money


@pytest.mark.parametrize(
    ("tag", "said"),
    [
        ("en", ["20 Nov 2026", "96%", "+12%", "−12%", "12%"]),
        ("ru", ["20 нояб. 2026 г.", "96 %", "+12 %", "−12 %", "12 %"]),
        ("de", ["20. Nov. 2026", "96 %", "+12 %", "−12 %", "12 %"]),
        ("fr", ["20 nov. 2026", "96 %", "+12 %", "−12 %", "12 %"]),
        ("es", ["20 nov 2026", "96 %", "+12 %", "−12 %", "12 %"]),
        ("en-US", ["Nov 20, 2026", "96%", "+12%", "−12%", "12%"]),
    ],
)
def test_days_and_percentages_follow_the_language(tag: str, said: list[str]) -> None:
    """A share has no sign, a change has one, and its size alone has none; a region has its own dates."""
    language = speak(tag)
    share = Fact(id="share", value=0.96, unit="percent", source="usage")
    up = Fact(id="up", value=0.12, unit="percent", source="usage", direction="up")
    down = Fact(id="down", value=-0.12, unit="percent", source="usage", direction="down")
    told = [
        say_day(date(2026, 11, 20), language),
        *(say_value(f, language, "EUR") for f in (share, up, down)),
    ]
    assert [plain(text) for text in (*told, say_value(down, language, "EUR", size=True))] == said


def test_every_reason_is_said_in_every_language(language: Language) -> None:
    """All codes and all their phrases, from the values alone; English never stands in for another."""
    assert set(language.texts.reasons) == {code.code for code in CODES if not code.retired}
    for feature, phrase in spoken():
        for value in (0.0, 1.0, 2.0, 5.0):
            row = reason_row(feature.name, phrase.text, phrase.code, [value] * 3)
            score = {"arr_low": None, "arr_high": None, "reasons": [row], "against": []}
            fact = next(fact for fact in scored(score, AS_OF) if fact.id == "reason_1")
            for short in (False, True):
                said = say_reason(fact, language, "EUR", short=short)
                assert said, phrase.code
                assert "{" not in said
                if language.tag != "en":
                    assert "In English" not in said, phrase.code
                if language.tag == "ru":
                    latin = set(re.findall(r"[A-Za-z]+", said)) - {"API", "CSAT", "NPS", "QBR", "ARR"}
                    assert not latin, said


def test_what_became_less_is_said_without_a_minus_before_the_noun(language: Language) -> None:
    """The sentence says the direction: a champion is there 7 days less, never -7 days less."""
    changes = [(feature, phrase) for feature, phrase in spoken() if "{champion_days_change" in phrase.text]
    assert changes
    for feature, phrase in changes:
        row = reason_row(feature.name, phrase.text, phrase.code, [-7.0] * 3)
        score = {"arr_low": None, "arr_high": None, "reasons": [], "against": [row]}
        fact = next(fact for fact in scored(score, AS_OF) if fact.id == "against_1")
        said = say_reason(fact, language, "EUR")
        assert re.search(r"(?<![-−])7", said), said


@pytest.mark.parametrize("tag", ["ru", "en"])
def test_a_reason_without_texts_is_said_by_its_family(tag: str) -> None:
    """Of a score made by an earlier version only the English sentence is known."""
    old = {
        "code": "SEATS_FULL",
        "family": "seats",
        "share": 0.4,
        "sentence": "Seats 96 % used (usage, 1 Nov)",
    }
    new = old | {"code": "MADE_UP_LATER"}
    score = {"arr_low": None, "arr_high": None, "reasons": [old, new], "against": [new]}
    told = {f.id: say_reason(f, speak(tag), "EUR") for f in scored(score, AS_OF)}
    if tag == "en":
        assert set(told.values()) == {"Seats 96 % used (usage, 1 Nov)"}
    else:
        assert told["reason_1"] == "За это говорит и другое: занятость мест"
        assert told["reason_2"] == "За это говорит ещё один сигнал"
        assert told["against_1"] == "Против этого говорит ещё один сигнал"


def test_a_language_is_added_by_one_file(tmp_path: Path) -> None:
    """Of a name that CLDR knows; what it leaves out is left out of the brief."""
    (tmp_path / "nl.toml").write_text(
        'name = "Nederlands"\n[titles]\nopener = "Begin met"\n[nouns]\n'
        'seats = { one = "{n} plaats", other = "{n} plaatsen" }\n'
        '[opener.plain]\nother = [["U hebt {seats}."]]\n',
        encoding="utf-8",
    )
    dutch = speak("nl", tmp_path)
    assert say_value(Fact(id="seats", value=1200, unit="seats", source="b"), dutch, "EUR") == "1.200 plaatsen"
    shutil.copy(FOLDER / "en.toml", tmp_path / "en.toml")
    assert languages(tmp_path) == ("en", "nl")


@pytest.mark.parametrize(
    ("tag", "content", "message"),
    [
        ("it", None, "no brief can be written in 'it'"),
        ("it", "name = ", "the texts of 'it' can't be used"),
        ("it", 'name = "Italiano"\ntitels = {}\n', "titels"),
        ("xx", 'name = "Nobody speaks it"\n', "xx"),
    ],
)
def test_a_language_that_cannot_be_spoken_is_told_with_what_to_do(
    tmp_path: Path, tag: str, content: str | None, message: str
) -> None:
    """Unknown, not TOML, a part that does not exist, or one that CLDR does not know."""
    (tmp_path / "en.toml").write_text('name = "English"\n', encoding="utf-8")
    if content is not None:
        (tmp_path / f"{tag}.toml").write_text(content, encoding="utf-8")
    with pytest.raises(SettingError, match=re.escape(message)) as caught:
        speak(tag, tmp_path)
    assert "en" in (caught.value.fix or "")


def test_names_are_never_translated() -> None:
    """Account and product stand in a Russian brief as they are written."""
    made = by_template(ask_for(language="ru"))
    assert made.subject == "Расширение: Acme – Growth seats, занято 96 % мест"
    assert "Growth seats" in made.full


def plain(text: str) -> str:
    """The text with plain spaces, since languages differ in which narrow one they take."""
    return text.replace("\u00a0", " ").replace("\u202f", " ")
