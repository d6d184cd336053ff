"""Facts about the beeswarm."""

from __future__ import annotations

import base64

import numpy as np

from model.influence import Swarm
from sync.evaluation import Evaluation
from worker.report.swarm import beeswarm

PNG = b"\x89PNG\r\n\x1a\n"


def test_each_paper_has_its_own_picture(evaluation: Evaluation) -> None:
    """Both are PNG, and the ink differs."""
    assert evaluation.swarm is not None
    drawn = [beeswarm(evaluation.swarm, paper).partition(",")[2] for paper in ("light", "dark")]
    assert all(base64.b64decode(each).startswith(PNG) for each in drawn)
    assert drawn[0] != drawn[1]


def test_signals_without_known_values_or_with_one_are_drawn_too(evaluation: Evaluation) -> None:
    """All unknown, all the same, and two rows only; nothing warns."""
    values = np.column_stack([np.full(2, np.nan), np.ones(2), np.array([1.0, np.nan])])
    swarm = Swarm(features=("a", "b", "c"), contributions=np.full((2, 3), 0.1), values=values)
    assert beeswarm(swarm, "light").startswith("data:image/png;base64,")


def test_drawing_leaves_chance_as_it_was(evaluation: Evaluation) -> None:
    """Whoever draws random numbers after it gets those that would have come without it."""
    assert evaluation.swarm is not None
    np.random.seed(5)
    expected = np.random.random(3)
    np.random.seed(5)
    beeswarm(evaluation.swarm, "light")
    assert np.array_equal(np.random.random(3), expected)
