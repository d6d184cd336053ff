"""Facts about the vocabulary of reason codes."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from model.features.families import FAMILY_OF
from model.reason_codes import CODE_OF, CODES, page, spoken

PAGE = Path(__file__).parents[2] / "docs" / "reasons.md"


def test_every_phrase_speaks_by_a_code_of_the_vocabulary() -> None:
    """Of its own family, on its own side: a code means one thing wherever it is said."""
    for feature, phrase in spoken():
        code = CODE_OF[phrase.code]
        assert (code.family, code.supports) == (FAMILY_OF[feature.name], phrase.supports), phrase.code
        assert not code.retired, phrase.code


def test_a_code_is_said_by_some_phrase_until_it_is_retired() -> None:
    """What is listed as alive can be met in a CRM."""
    said = {phrase.code for _, phrase in spoken()}
    assert {code.code for code in CODES if not code.retired} == said


def test_no_code_is_listed_twice() -> None:
    """Else one of the two meanings would be lost."""
    assert len(CODE_OF) == len(CODES)


def test_the_page_is_what_the_vocabulary_says() -> None:
    """`make docs` writes it."""
    assert PAGE.read_text(encoding="utf-8") == page()


def test_nothing_runs_out_in_no_days() -> None:
    """What has run out already is said by what is used."""
    ahead = [phrase for _, phrase in spoken() if phrase.code in ("SEAT_LIMIT_NEAR", "LIMIT_AHEAD")]
    assert len(ahead) == 4
    days = np.array([0.0, 0.3, 1.0, 90.0, 91.0])
    for phrase in ahead:
        assert phrase.holds(days).tolist() == [False, False, True, True, False]
