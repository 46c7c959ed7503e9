"""What a comparison leaves behind: a report, or a folder with its numbers and its figure."""

import hashlib
import json
import shlex
import shutil
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import polars as pl

from grokscope.cli.comparing.designs import design_files
from grokscope.cli.terminal import say
from grokscope.dashboard.charts.elements.palette import LIGHT, Colouring
from grokscope.dashboard.charts.survival import survival_chart
from grokscope.dashboard.exporting.files import to_csv, to_svg
from grokscope.interventions.comparing.records import Comparison
from grokscope.interventions.comparing.report import report
from grokscope.interventions.comparing.skeptic import questions_of
from grokscope.interventions.outcomes.dimensions.of_groups import dimensions_of_groups
from grokscope.interventions.outcomes.dimensions.of_runs import dimensions_of
from grokscope.interventions.outcomes.observed import ObservedRuns
from grokscope.interventions.outcomes.target import Target
from grokscope.interventions.survival.by_group import survival_of_groups
from grokscope.schemas import GrokscopeError, reviewed
from grokscope.schemas.files.replacing import SHARED, beside, replacing
from grokscope.schemas.frames import as_points
from grokscope.schemas.secrets import redacted, redacted_source
from grokscope.transitions import detect

_MOST_DRAWN = 8


class OutputError(GrokscopeError):
    """What cannot be written."""


def write_report(found: Comparison, observed: ObservedRuns, path: Path, *, source: str) -> None:
    """Write a page with the comparison and what a skeptic would ask of it.

    Raises:
        OutputError: If it cannot be written.
    """
    _write(path, _page(found, observed, source=source, html=path.suffix.lower() == ".html"))
    say(f"report: {path}", err=True)


def write_bundle(found: Comparison, observed: ObservedRuns, folder: Path, *, source: str) -> None:
    """Write a folder with all that a figure in a paper needs: numbers, single runs, figure, report.

    It appears under its name when it is whole; where something fails, nothing is left.

    Raises:
        OutputError: If it cannot be written, or there is something of that name.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise OutputError(f"{str(folder)!r} is there already; name a new folder for the bundle")
    unfinished = beside(folder)
    try:
        unfinished.mkdir(parents=True)
        for name, content in _contents(found, observed, source=source):
            (unfinished / name).write_text(content, encoding="utf-8")
        unfinished.rename(folder)
    except OSError as error:
        raise OutputError(f"{str(folder)!r} cannot be made ({error}); name another folder") from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    say(f"bundle: {folder}", err=True)


def _contents(found: Comparison, observed: ObservedRuns, *, source: str) -> Iterator[tuple[str, str]]:
    """Yield the files of a bundle: name, text."""
    yield "comparison.json", json.dumps(found.to_json(), indent=1, allow_nan=False) + "\n"
    yield "report.md", _page(found, observed, source=source, html=False)
    if found.target is not None:
        outcomes = _outcomes(found, observed, found.target)
        yield "outcomes.csv", to_csv(outcomes).decode()
        by_group = dimensions_of_groups(outcomes, found.costs.select("run_id", "group"))
        yield "outcomes_by_group.csv", to_csv(by_group).decode()
        yield from design_files(found, observed, found.target)
    if found.costs.is_empty():
        return
    curves, at_risk = survival_of_groups(found.costs)
    yield "runs.csv", to_csv(found.costs).decode()
    yield "survival.csv", to_csv(curves).decode()
    if found.tuning.height:
        yield "tuning.csv", to_csv(found.tuning).decode()
    names = [group.group for group in found.groups][:_MOST_DRAWN]
    colouring = Colouring(field="group", colours=LIGHT.of(names), palette=LIGHT, dashes=LIGHT.dashes(names))
    kept = pl.col("group").is_in(names)
    chart = survival_chart(
        curves.filter(kept), at_risk.filter(kept), colouring=colouring, unit=found.count_in
    ).to_dict()
    yield "figure.vl.json", json.dumps(chart, indent=1) + "\n"
    yield "figure.svg", to_svg([chart]).decode()


def _page(found: Comparison, observed: ObservedRuns, *, source: str, html: bool) -> str:
    questions = questions_of(found, observed) if found.groups else ()
    return report(found, questions, _made_by(source), html=html)


def _made_by(source: str) -> dict[str, str]:
    # Before it is quoted, and after: a secret may be an argument, or follow one that names it.
    command = redacted(shlex.join(["grokscope", *map(redacted_source, sys.argv[1:])]))
    made = {"command": command, "grokscope": version("grokscope")}
    path = Path(source)
    if "://" not in source and path.is_file():
        with path.open("rb") as file:
            made["SHA-256 of the source"] = hashlib.file_digest(file, "sha256").hexdigest()
    return made


def _outcomes(found: Comparison, observed: ObservedRuns, target: Target) -> pl.DataFrame:
    """Return the five dimensions of the outcome of each run that was compared."""
    curves = observed.curves.filter(pl.col("run_id").is_in(found.costs["run_id"].implode()))
    points = as_points(curves.select("run_id", "metric", "step", "value"))
    verdicts = [reviewed(one, observed.reviews.get(one.run, {})).verdict for one in detect(points)]
    return dimensions_of(curves, target, verdicts=verdicts)


def _write(path: Path, text: str) -> None:
    try:
        with replacing(path, mode=SHARED) as part:
            part.write_text(text, encoding="utf-8")
    except OSError as error:
        raise OutputError(f"{str(path)!r} cannot be written ({error}); name another place") from error
