"""Model versions on disk: CatBoost files, a manifest that vouches for them, and a card. Never pickle.

    models/
      2026.11.02-1/
        probability.cbm  risk.cbm       as CatBoost writes them; absent for a scorecard
        manifest.json                   sha256 of each file, feature names, target, golden predictions
        card.md
        verdict.json                    how it compared with the version in use when it was trained
        report.html                     the newest report on it
      current                           the version in use, one line

CatBoost loads most damaged files, and scores reordered features, without a word (CRM-FACTS, Parsers).
So loading checks the hashes, the model's own feature names and a few golden predictions.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import catboost
import numpy as np
import pyarrow as pa

from model.additive import AdditiveModel
from model.card import write_card
from model.challenge import Verdict
from model.errors import ModelError
from model.hazard import HazardModel
from model.made_with import made_with
from model.risk import RiskModel
from model.target import Target
from model.trained import TrainedModel
from model.value import ValueModel

_VERSION = re.compile(r"^(\d{4})\.(\d{2})\.(\d{2})-(\d+)$")
_FORMAT = 2
_GOLDEN_ROWS = 5
_TOLERANCE = 1e-6


class Registry:
    """Saved model versions in a folder."""

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)

    def versions(self) -> tuple[str, ...]:
        """Every saved version, oldest first."""
        if not self.folder.is_dir():
            return ()
        found = [path.name for path in self.folder.iterdir() if _VERSION.match(path.name) and path.is_dir()]
        return tuple(sorted(found, key=_order))

    @property
    def current(self) -> str | None:
        """The version in use, or None when none was promoted yet."""
        pointer = self.folder / "current"
        return pointer.read_text(encoding="utf-8").strip() if pointer.is_file() else None

    def save(self, trained: TrainedModel, on: date) -> str:
        """Save as the next version of that day, make it current if it is the first, and return its name."""
        same_day = [v for v in self.versions() if v.startswith(f"{on:%Y.%m.%d}-")]
        number = max((_order(v)[-1] for v in same_day), default=0) + 1
        version = f"{on:%Y.%m.%d}-{number}"
        self.folder.mkdir(parents=True, exist_ok=True)
        # built aside and renamed, so that half a version is never seen
        draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=self.folder))
        try:
            _write(trained.with_version(version), draft)
            os.replace(draft, self.folder / version)
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            raise
        if self.current is None:
            self.promote(version)
        return version

    def promote(self, version: str) -> None:
        """Make a saved version the current one. Raises ModelError when there is no such version."""
        self._folder_of(version)
        draft = self.folder / ".current.part"
        draft.write_text(version + "\n", encoding="utf-8")
        os.replace(draft, self.folder / "current")

    def load(self, version: str | None = None) -> TrainedModel:
        """That version, or the current one, after every check. Raises ModelError naming what is wrong."""
        name = version or self.current
        if name is None:
            raise ModelError(f"There is no model in {self.folder}.", fix="Run `upswell train` first.")
        return _read(self._folder_of(name))

    def card(self, version: str) -> str:
        """The model card in Markdown."""
        return (self._folder_of(version) / "card.md").read_text(encoding="utf-8")

    def manifest(self, version: str) -> Mapping[str, Any]:
        """The manifest of a version: metrics, target, data hash and the rest."""
        return _manifest(self._folder_of(version))

    def keep_verdict(self, version: str, verdict: Verdict) -> None:
        """Keep beside a version how it compared with the one in use when it was trained."""
        path = self._folder_of(version) / "verdict.json"
        text = json.dumps(verdict.facts(), indent=1, sort_keys=True, ensure_ascii=False)
        draft = path.with_suffix(".part")
        draft.write_text(text + "\n", encoding="utf-8")
        os.replace(draft, path)

    def keep_report(self, version: str, page: str) -> None:
        """Keep a report beside a version, in place of an older one."""
        path = self._folder_of(version) / "report.html"
        draft = path.with_suffix(".part")
        draft.write_text(page, encoding="utf-8")
        os.replace(draft, path)

    def report(self, version: str) -> Path | None:
        """Where the report that `keep_report` kept lies, or None."""
        path = self._folder_of(version) / "report.html"
        return path if path.is_file() else None

    def verdict(self, version: str) -> Mapping[str, Any] | None:
        """What `keep_verdict` kept, or None."""
        path = self._folder_of(version) / "verdict.json"
        if not path.is_file():
            return None
        kept: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return kept

    def fingerprint(self, version: str) -> str:
        """The sha256 in hex of a version's manifest, which itself vouches for its files."""
        return _sha256(self._folder_of(version) / "manifest.json")

    def _folder_of(self, version: str) -> Path:
        folder = self.folder / version
        if not _VERSION.match(version) or not folder.is_dir():
            known = ", ".join(self.versions()) or "none"
            raise ModelError(
                f"There is no model version {version!r} in {self.folder}.", fix=f"Saved: {known}."
            )
        return folder


def _order(version: str) -> tuple[int, ...]:
    match = _VERSION.match(version)
    return tuple(int(part) for part in match.groups()) if match else ()


def _write(trained: TrainedModel, folder: Path) -> None:
    files = {}
    for name, booster in (
        ("probability.cbm", trained.booster),
        ("risk.cbm", None if trained.risk is None else trained.risk.booster),
    ):
        if booster is not None:
            booster.save_model(str(folder / name))
            files[name] = _sha256(folder / name)
    golden = _golden_rows(trained)
    manifest = {
        "format": _FORMAT,
        "version": trained.version,
        "files": files,
        "features": list(trained.features),
        "categorical": list(trained.categorical),
        "value": trained.value.as_json(),
        "hazard": None if trained.hazard is None else trained.hazard.as_json(),
        "risk": None if trained.risk is None else trained.risk.as_json(),
        "basis": trained.basis,
        "weight": trained.weight,
        "intercept": trained.intercept,
        "flat": trained.flat,
        "additive": None if trained.additive is None else trained.additive.as_json(),
        "product_shares": dict(trained.product_shares),
        "product_pull": dict(trained.product_pull),
        "signals": dict(trained.signals),
        "target": trained.target.as_json(),
        "data_hash": trained.data_hash,
        "made_with": dict(made_with()),
        "metrics": {name: dict(values) for name, values in trained.metrics.items()},
        "facts": dict(trained.facts),
        "golden": _golden_predictions(trained, golden),
    }
    text = json.dumps(manifest, indent=1, sort_keys=True, ensure_ascii=False)
    (folder / "manifest.json").write_text(text + "\n", encoding="utf-8")
    (folder / "card.md").write_text(write_card(trained), encoding="utf-8")


def _read(folder: Path) -> TrainedModel:
    try:
        return _vouched(folder, _manifest(folder))
    except ModelError:
        raise
    except (LookupError, TypeError, ValueError, AttributeError, catboost.CatBoostError) as error:
        raise ModelError(
            f"Model {folder.name}: its manifest is not one that Upswell wrote ({error!r}).",
            fix="Restore the folder from a backup, promote another version, or train again.",
        ) from error


def _vouched(folder: Path, manifest: Mapping[str, Any]) -> TrainedModel:
    """The model, after every check. A manifest of somebody else's may raise anything."""
    name = folder.name
    if manifest["version"] != name:
        raise ModelError(
            f"Model {name}: its manifest is of model {manifest['version']}.",
            fix="Give the folder its own name back, promote another version, or train again.",
        )
    boosters: dict[str, Any] = {"probability.cbm": None, "risk.cbm": None}
    for file, digest in manifest["files"].items():
        path = folder / file
        if file not in boosters or not path.is_file() or _sha256(path) != digest:
            raise ModelError(
                f"Model {name}: {file} is not the file that was saved (its sha256 differs).",
                fix="Restore it from a backup, promote another version, or train again.",
            )
        boosters[file] = catboost.CatBoost().load_model(str(path))
        if list(boosters[file].feature_names_) != manifest["features"]:
            raise ModelError(
                f"Model {name}: the features inside {file} are not those of its manifest, in that order.",
                fix="Promote another version, or train again.",
            )
    trained = TrainedModel(
        version=manifest["version"],
        features=tuple(manifest["features"]),
        categorical=tuple(manifest["categorical"]),
        booster=boosters["probability.cbm"],
        additive=AdditiveModel.from_json(manifest["additive"]) if manifest["additive"] else None,
        value=ValueModel.from_json(manifest["value"]),
        hazard=HazardModel.from_json(manifest["hazard"]) if manifest["hazard"] else None,
        basis=manifest["basis"],
        weight=manifest["weight"],
        intercept=manifest["intercept"],
        flat=manifest["flat"],
        product_shares=manifest["product_shares"],
        product_pull=manifest["product_pull"],
        signals=manifest["signals"],
        target=Target.from_json(manifest["target"]),
        data_hash=manifest["data_hash"],
        metrics=manifest["metrics"],
        facts=manifest["facts"],
        # models saved before there was one say nothing of churn and contraction
        risk=RiskModel.from_json(manifest["risk"], boosters["risk.cbm"]) if manifest.get("risk") else None,
    )
    again = _golden_predictions(trained, _golden_rows(trained))
    for kind, saved in manifest["golden"].items():
        if not np.allclose(saved, again[kind], rtol=_TOLERANCE, atol=_TOLERANCE):
            raise ModelError(
                f"Model {name}: it no longer gives the {kind} it gave when it was saved.",
                fix="The file or the CatBoost version has changed: promote another version, or train again.",
            )
    return trained


def _golden_rows(trained: TrainedModel) -> pa.Table:
    """A few made-up rows that reach far into each feature's range, the same for the same feature names."""
    rng = np.random.default_rng(0)
    columns: dict[str, Any] = {}
    for name in trained.features:
        if name in trained.categorical:
            columns[name] = pa.array(["", "A", "B", "C", "D"][:_GOLDEN_ROWS])
        else:
            columns[name] = rng.normal(size=_GOLDEN_ROWS) * 10.0 ** rng.uniform(-1, 3, size=_GOLDEN_ROWS)
    return pa.table(columns)


def _golden_predictions(trained: TrainedModel, rows: pa.Table) -> dict[str, list[float]]:
    margins = trained.margins(rows)
    value = trained.value.of_products(rows, sorted(trained.value.lines))
    golden = {
        "log-odds": margins.tolist(),
        "log values": np.log(value).ravel().tolist(),
        "chances over time": trained.curve(rows, margins).ravel().tolist(),
    }
    if trained.risk is not None:
        chances = trained.risk.predict(rows, trained.features, trained.categorical, trained.signals)
        golden["chances of churn"] = [float(chance) for chance in chances[:, 0]]
        golden["chances of contraction"] = [float(chance) for chance in chances[:, 1]]
    return golden


def _manifest(folder: Path) -> dict[str, Any]:
    path = folder / "manifest.json"
    try:
        manifest: dict[str, Any] = dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise ModelError(
            f"Model {folder.name}: its manifest can't be read ({error}).",
            fix="Restore the folder from a backup, promote another version, or train again.",
        ) from error
    if manifest.get("format") != _FORMAT:
        raise ModelError(
            f"Model {folder.name} has format {manifest.get('format')!r}; this Upswell reads {_FORMAT}.",
            fix="Use the Upswell that saved it, or train again.",
        )
    return manifest


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
