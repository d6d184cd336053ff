"""Facts about what an evaluation is said to mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest

from model.leads import Lead
from sync.evaluation import DataGaps, Evaluation
from worker.report.summary import FAIR, GOOD, POOR, Summary, summarise
from worker.report.tables import lead_table
from worker.report.words import signed

Told = Callable[..., Evaluation]
SURE, NOISE = Lead(gain=0.02, low=0.01, high=0.03), Lead(gain=0.01, low=-0.01, high=0.03)


def leads(**given: Lead) -> Mapping[str, Lead]:
    """Sure leads over everybody but those given."""
    return dict.fromkeys(("scorecard", "seat_rule", "blog_recipe", "last_quarter", "base_rate"), SURE) | given


def tone(summary: Summary, title: str) -> str:
    """The tone of one answer."""
    return next(each.tone for each in summary.statements if each.title == title)


def test_a_model_that_leads_everywhere_and_is_calibrated_is_to_be_believed(evaluation: Evaluation) -> None:
    """Ahead of every simple way beyond noise, and its probabilities came true."""
    found = summarise(evaluation)
    assert found.verdict.tone == GOOD
    assert "believe the percentages" in found.verdict.title
    assert tone(found, "Does the order help?") == tone(found, "Do the percentages come true?") == GOOD
    assert any("4 of 10" in action for action in found.actions)


def test_no_lead_over_the_base_rate_means_no_prediction(told: Told) -> None:
    """However good its other figures look, nobody is told to rank by it."""
    found = summarise(told(leads=leads(base_rate=NOISE)))
    assert (found.verdict.tone, found.verdict.title) == (POOR, "These data do not predict expansion")
    assert any(action.startswith("Don't work accounts in this order") for action in found.actions)
    assert not any("Start at the top" in action for action in found.actions)


def test_a_lead_that_may_be_noise_is_named(told: Told) -> None:
    """It beats chance, but not surely the seat rule."""
    found = summarise(told(leads=leads(seat_rule=NOISE)))
    assert found.verdict.tone == FAIR
    assert "seats used > 80 %" in found.verdict.text
    assert tone(found, "Does the order help?") == FAIR


def test_probabilities_that_are_off_beyond_noise_are_not_to_be_added_up(told: Told) -> None:
    """The order may be used all the same."""
    found = summarise(told(calibrated=False, said=0.3))
    assert found.verdict.title == "Trust the order, not the percentages"
    assert tone(found, "Do the percentages come true?") == POOR
    assert any("train anew" in action for action in found.actions)


@pytest.mark.parametrize(("said", "calibrated"), [(0.30, True), (0.12, True), (0.2, None)])
def test_probabilities_that_may_be_off_by_chance_are_called_rough(
    told: Told, said: float, calibrated: bool | None
) -> None:
    """Far off in the mean, or too few outcomes to tell: nobody is told to believe them."""
    found = summarise(told(said=said, calibrated=calibrated))
    assert found.verdict.tone == FAIR
    assert "rough" in found.verdict.title
    assert not any("4 of 10" in action for action in found.actions)


@pytest.mark.parametrize(("coverage", "word"), [(0.6, "narrow"), (0.97, "wide")])
def test_a_range_that_holds_too_few_or_too_many_is_called_so(told: Told, coverage: float, word: str) -> None:
    """80 % are meant to lie in it; between 75 and 90 % is as it should be."""
    right = told().value
    assert right is not None
    found = summarise(told(value=replace(right, coverage=coverage)))
    assert tone(found, "Is the amount right?") == FAIR
    assert any(f"too {word}" in each.text for each in found.statements)
    assert tone(summarise(told(value=replace(right, coverage=0.8))), "Is the amount right?") == GOOD


def test_a_recipe_that_was_judged_with_less_history_is_not_praised_silently(told: Told) -> None:
    """The rules were judged, and the model scores: that is said."""
    found = summarise(told(judged_basis="scorecard"))
    text = next(each.text for each in found.statements if each.title.startswith("Judged is less"))
    assert "rule scorecard" in text


def test_few_expansions_are_said_to_tell_little(told: Told) -> None:
    """With 40 of them an AUC is known to ±0.09 at best."""
    found = summarise(told(expanded=40, said=40 / 600))
    text = next(each.text for each in found.statements if each.title == "Few outcomes")
    assert "±0.09" in text


def test_suspects_gaps_and_changed_data_are_things_to_do(told: Told) -> None:
    """Each is told with a number or a name; a model without them tells none."""
    text = " ".join(summarise(told(data_changed=True)).actions)
    assert "1 signal left out" in text
    assert "1 of 15 signal families lack columns (support)" in text
    assert "changed since" in text
    clean = told(
        gaps=DataGaps(absent={}, families=15, completeness=1.0, too_little=0.0),
        facts_at_training={**told().facts_at_training, "suspicions": {}},
    )
    assert not {"signal left out", "lack columns"} & set(" ".join(summarise(clean).actions).split(". "))
    assert "left out" not in " ".join(summarise(clean).actions)


def test_a_large_group_for_which_it_is_wrong_is_named(told: Told, evaluation: Evaluation) -> None:
    """Its margin leaves out what was said of it; a small group's would not be told."""
    first, *others = evaluation.cohorts["segment"]
    wrong = replace(first, said=first.rate_high + 0.1)
    text = " ".join(summarise(told(cohorts={"segment": (wrong, *others)})).actions)
    assert f"care for segment {first.name}" in text
    small = replace(wrong, rows=50)
    assert "with care" not in " ".join(summarise(told(cohorts={"segment": (small, *others)})).actions)


def test_a_model_that_is_the_rule_scorecard_is_called_the_same(told: Told) -> None:
    """Its lead over it is nought, not noise."""
    same = Lead(gain=0.0, low=0.0, high=0.0)
    _, rows = lead_table(told(leads=leads(scorecard=same, seat_rule=NOISE)))
    assert {row[0]: row[-1] for row in rows} == {
        "Rule scorecard": "the same",
        "Seats used > 80 %": "may be noise",
        "Usual recipe, 12 columns": "better",
        "Segment's last rate": "better",
        "Base rate for all": "better",
    }


def test_the_order_is_not_praised_where_a_simple_way_finds_more_at_the_top(
    evaluation: Evaluation, told: Told
) -> None:
    """Though the probabilities are surer than that way's."""
    title = "Does the order help?"
    assert tone(summarise(evaluation), title) == GOOD
    best, *rest = evaluation.gains["upswell"]
    low = [replace(each, captured=each.captured / 2) for each in (best, *rest)]
    assert tone(summarise(told(gains={**evaluation.gains, "upswell": tuple(low)})), title) == FAIR


@pytest.mark.parametrize(("value", "text"), [(0.04, "0.0"), (-0.04, "0.0"), (-1.25, "−1.2"), (12.0, "+12.0")])
def test_a_difference_has_its_sign_and_nought_has_none(value: float, text: str) -> None:
    """Nobody reads "−0.0"."""
    assert signed(value, 1) == text
