"""The beeswarm of the strongest signals, drawn by shap as one image for light and one for dark paper."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING, Final

from worker.report.words import plain_name

if TYPE_CHECKING:
    import numpy as np

    from model.influence import Swarm

ROWS: Final = 600  # more dots only cover each other
DPI: Final = 160
INK: Final = {"light": "#3a4754", "dark": "#c3d0dd"}
FONT: Final = 9.5


def beeswarm(swarm: Swarm, paper: str) -> str:
    """A data URI of the PNG for `light` or `dark` paper; the background is the page's own."""
    import matplotlib as mpl

    mpl.use("Agg")  # no screen is needed, and none may be there
    import matplotlib.pyplot as plt
    import numpy as np
    import shap

    chance = np.random.get_state()  # shap shuffles its dots by numpy's shared generator
    np.random.seed(0)
    step = max(1, -(-swarm.contributions.shape[0] // ROWS))
    ink = INK[paper]
    colours = dict.fromkeys(("text.color", "axes.labelcolor", "xtick.color", "ytick.color"), ink)
    with mpl.rc_context({**colours, "font.size": FONT, "axes.edgecolor": ink}):
        figure, axes = plt.subplots(figsize=(7.6, 0.36 * len(swarm.features) + 0.9))
        try:
            shap.plots.beeswarm(
                shap.Explanation(
                    values=swarm.contributions[::step],
                    data=_coloured(swarm.values[::step]),
                    feature_names=[plain_name(name) for name in swarm.features],
                ),
                max_display=len(swarm.features),
                order=np.arange(len(swarm.features)),
                show=False,
                axis_color=ink,
                plot_size=None,
                ax=axes,
                s=9,
                color_bar=False,
                group_remaining_features=False,
            )
            axes.set_xlabel("lowers the score ←  log-odds  → raises it", fontsize=FONT)
            axes.tick_params(labelsize=FONT)
            held = io.BytesIO()
            figure.savefig(
                held,
                format="png",
                dpi=DPI,
                transparent=True,
                bbox_inches="tight",
                metadata={"Software": None},
            )
        finally:
            plt.close(figure)
            np.random.set_state(chance)
    return "data:image/png;base64," + base64.b64encode(held.getvalue()).decode("ascii")


def _coloured(values: np.ndarray) -> np.ndarray:
    """The values as shap colours them; text, which it draws in grey, in a column that has but one value."""
    import numpy as np

    columns = []
    for column in values.T:
        known = column[~np.isnan(column)]
        plain = known.size == 0 or np.percentile(known, 1) == np.percentile(known, 99)
        columns.append(np.full(column.size, "", object) if plain else column.astype(object))
    return np.column_stack(columns)
