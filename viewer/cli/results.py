"""What an operation gave, as files: the ending decides what it can hold."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from viewer.cli import say
from viewer.core.annotation import Annotation
from viewer.core.errors import BadParameter
from viewer.core.geometry import Geometry
from viewer.core.ids import new_id
from viewer.core.images import Annotations, Image, Labels, Mask, Numbers, Overlay, Result, Verdict, Verdicts
from viewer.core.operation import OperationSpec
from viewer.core.overlay import ScalarMap
from viewer.core.report import Table
from viewer.core.volume import Volume, smallest_exact
from viewer.core.words import _
from viewer.io.gate import harmless
from viewer.io.write import annotations_table, reports_table, save_array, save_mask, save_tables
from viewer.io.write.grids import ENDINGS as GRID_ENDINGS
from viewer.io.write.tables import ENDINGS as TABLE_ENDINGS
from viewer.io.write.tables import NOTICE, plain
from viewer.session.heat import METHOD_NAMES
from viewer.session.heat_file import save_heat
from viewer.session.outcome import report_of, told_of

_GRIDS, _TABLES = ("Image", "Mask", "Labels", "Overlay"), ("Annotations", "Numbers", "Verdicts")


def check_ending(path: Path, spec: OperationSpec) -> None:
    """Raises BadParameter, before anything is computed, when the ending can hold nothing that the operation gives."""
    name = path.name.lower()
    holds = _GRIDS if name.endswith(GRID_ENDINGS) else _TABLES if name.endswith(TABLE_ENDINGS) else ()
    if not any(output in holds for output in spec.outputs):
        fitting = sorted({e for o in spec.outputs for e in (GRID_ENDINGS if o in _GRIDS else TABLE_ENDINGS)})
        words = _("{name}: {operation} gives {outputs}, which goes into {endings}. Choose one of these endings.")
        raise BadParameter(words.format(name=path.name, operation=spec.name, outputs=", ".join(spec.outputs), endings=", ".join(fitting)))


def save(path: Path, results: Sequence[Result], volume: Volume, *, overwrite: bool, more_phases: Sequence[Result] = ()) -> None:
    """Write those of the results that the ending can hold. ``more_phases``: the images of the phases after the first."""
    if path.name.lower().endswith(GRID_ENDINGS):
        _save_grid(path, results, volume, overwrite, more_phases)
    else:
        save_tables(path, tables_of(results, volume), overwrite=overwrite)


def _save_grid(path: Path, results: Sequence[Result], volume: Volume, overwrite: bool, more_phases: Sequence[Result]) -> None:
    for result in results:
        if isinstance(result, Image):
            parts = [result.values, *(r.values for r in more_phases if isinstance(r, Image))]
            data = np.stack(parts) if len(parts) > 1 else result.values[np.newaxis]
            if result.is_color:
                told(path, save_array(path, data, result.geometry, is_color=True, overwrite=overwrite, with_gaps=True))
            else:
                data = smallest_exact(data) if data.dtype.kind in "iu" or data.dtype == np.float64 else data
                told(path, save_array(path, data, result.geometry, overwrite=overwrite, with_gaps=True))
            return
        if isinstance(result, Mask | Labels):
            told(path, save_mask(path, result.values, result.geometry, overwrite=overwrite))
            return
        if isinstance(result, Overlay) and result.score:
            save_heat_map(path, [result], volume.geometry, overwrite=overwrite, is_unfamiliar=result.is_unfamiliar)
            return
        if isinstance(result, Overlay):
            told(path, save_array(path, result.values[np.newaxis], result.geometry, overwrite=overwrite, with_gaps=True))
            return


def told(path: Path, sentences: Sequence[str]) -> None:
    """What was done to bring a result into a file."""
    for sentence in sentences:
        say.err(f"{harmless(path.name)}: {sentence}")


def save_heat_map(
    path: Path, maps: Sequence[ScalarMap | Overlay], geometry: Geometry, *, overwrite: bool, is_unfamiliar: bool
) -> None:  # fmt: skip
    """Write a heat-map; where its model has not seen such images the file says so, and so is the user told."""
    told(path, save_heat(path, maps, geometry, overwrite=overwrite, is_unfamiliar=is_unfamiliar))
    if is_unfamiliar:
        told(path, (_("The model has not seen such images, so the heat map may mislead. The file says so."),))


def name_heat_map(path: Path, item: ScalarMap | Overlay) -> None:
    """Say of which class, model and method a written heat-map is."""
    title = _('{name}: heat map of {score} by "{model}" ({method}).')
    method = _(METHOD_NAMES.get(item.method, item.method))
    say.err(title.format(name=harmless(path.name), score=_(item.score), model=item.model, method=method))


def warned(name: str, results: Sequence[Result]) -> None:
    """What is to be said of how results came about; verdicts keep theirs in the report."""
    for sentence in told_of([results])[0]:
        say.err(_("{name}: {warning}").format(name=harmless(name), warning=sentence))


def json_made(operation: str, path: Path, results: Sequence[Sequence[Result]]) -> dict[str, Any]:
    """What ``apply --json`` prints of a result that lies in a file."""
    warnings, facts = told_of(results)
    return {"operation": operation, "out": str(path), "warnings": list(warnings), "facts": dict(facts)}


def tables_of(results: Sequence[Result], volume: Volume) -> list[Table]:
    """The results that are numbers, as tables. Found shapes are left out where the same call gives their table."""
    tables: list[Table] = []
    for result in results:
        if isinstance(result, Numbers):
            tables.append(Table(new_id("table"), result.title, result.columns, result.rows, volume.id, result.facts))
        elif isinstance(result, Verdicts):
            tables.append(reports_table([report_of(v, volume.id) for v in result.items]))
    if not tables:
        for result in results:
            if isinstance(result, Annotations):
                items = [Annotation(new_id("annotation"), d.shape, volume.id, d.points, name=d.name, measures=d.measures) for d in result.drafts]
                tables.append(annotations_table(items, lambda _id: volume.geometry.unit))
    return tables


def json_verdict(verdict: Verdict, *, path: str, series: str, index: int, phase: int) -> dict[str, Any]:
    """A verdict as ``classify --json`` prints it."""
    report = report_of(verdict, "", phase, index=index)
    facts = dict(verdict.facts)
    return {
        "path": path, "series": series, "index": index, "phase": phase, "model": verdict.model, "version": verdict.version, "task": verdict.task,
        "labels": [{"name": name, "probability": value} for name, value in verdict.scores],
        "threshold": verdict.threshold, "calibrated": verdict.is_calibrated, "device": verdict.device, "milliseconds": verdict.milliseconds,
        "warnings": list(verdict.warnings), "title": verdict.title, "sha256": facts.get("sha256", ""),
        "found": [score.name for score in report.found], "thresholds": {score.name: score.threshold for score in report.scores},
        "unfamiliar": report.is_unfamiliar, "strangeness": plain(report.strangeness), "strangeness_limit": plain(report.strangeness_limit),
        "facts": facts, "notice": NOTICE,
    }  # fmt: skip
