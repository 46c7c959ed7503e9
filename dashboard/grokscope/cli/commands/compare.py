"""``grokscope compare``: which group of runs reaches a target for the least, and how surely."""

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from grokscope.cli import options
from grokscope.cli.comparing.printing import say_comparison
from grokscope.cli.comparing.rules import by_algoperf, by_speedrun
from grokscope.cli.comparing.sources import observed_at
from grokscope.cli.engines import Address, Engine, EngineName, workers_of
from grokscope.cli.terminal import say_json
from grokscope.interventions.comparing.comparison import compare as compare_groups
from grokscope.interventions.comparing.grouping import split_params
from grokscope.interventions.comparing.records import Comparison
from grokscope.interventions.outcomes.costs import STEPS
from grokscope.interventions.outcomes.estimand import Estimand
from grokscope.interventions.outcomes.target import Target
from grokscope.schemas import GrokscopeError
from grokscope.schemas.extras import Extra, require


class CompareError(GrokscopeError):
    """A command that cannot be carried out as given."""


class Rule(StrEnum):
    """Published rules that name a winner."""

    ALGOPERF = "algoperf"
    SPEEDRUN = "speedrun"


def compare(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE",
            help="A store (MLflow URI), a Parquet, CSV or JSONL file with the columns run, step, metric, "
            "value (others are params), or whatever 'grokscope import' takes.",
        ),
    ],
    *,
    experiment: Annotated[
        str | None, typer.Option(help="Experiment in the store.", show_default=False)
    ] = None,
    where: Annotated[
        str | None,
        typer.Option(
            metavar="QUERY", help="Only these runs: 'lr >= 1e-3 and task = bert'.", show_default=False
        ),
    ] = None,
    by: Annotated[
        str | None,
        typer.Option(
            metavar="PARAM[,PARAM]",
            help="What makes the groups. Default: all runs are one.",
            show_default=False,
        ),
    ] = None,
    target: Annotated[
        str | None,
        typer.Option(
            metavar="'METRIC<=VALUE'", help="What is to be reached, or METRIC>=VALUE.", show_default=False
        ),
    ] = None,
    count_in: Annotated[
        str, typer.Option(metavar="UNIT", help="steps, seconds, examples, tokens, flops or epochs.")
    ] = STEPS,
    sustained: Annotated[
        bool, typer.Option("--sustained", help="Reached only where it holds three evaluations in a row.")
    ] = False,
    estimand: Annotated[
        Estimand | None,
        typer.Option(
            help="The first crossing in a run, or the least planned budget of annealed runs. "
            "Default: told by the logged learning rate.",
            show_default=False,
        ),
    ] = None,
    rule: Annotated[
        Rule | None, typer.Option(help="Score by this published rule.", show_default=False)
    ] = None,
    targets: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The targets of --rule algoperf (JSON).", show_default=False),
    ] = None,
    results: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Published results for --rule speedrun (JSON).",
            show_default=False,
        ),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Also write a page (.md or .html) with what a skeptic would ask of it.",
            show_default=False,
        ),
    ] = None,
    bundle: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Also write the numbers, the single runs, the figure and the report into a new folder.",
            show_default=False,
        ),
    ] = None,
    engine: Engine = EngineName.LOCAL,
    address: Address = None,
    output: Annotated[
        options.Format, typer.Option("--format", help="A table for people, or one JSON record.")
    ] = options.Format.TABLE,
) -> None:
    """Say which group of runs reaches a target for the least, with intervals, unfinished runs counted in.

    Example: grokscope compare runs.csv --by lr --target 'test/accuracy>=0.9'
    """
    aim = None if target is None else Target.parse(target, sustained=sustained)
    _check(aim, rule, targets=targets, results=results)
    if report is not None and report.suffix.lower() not in (".md", ".html"):
        raise CompareError(f"a report ends in .md or .html, got {report.name!r}")
    if report is not None or bundle is not None:
        require(Extra.APP, "altair", "vl_convert", what="a report or bundle")
    # A bundle tells of all that was logged.
    metrics = None if aim is None or bundle is not None else [aim.metric]
    observed = observed_at(source, experiment=experiment, where=where, metrics=metrics)
    groups = split_params(by or "", observed.params)
    with workers_of(engine, address) as workers:
        if rule is Rule.ALGOPERF and targets is not None:
            found = by_algoperf(observed, targets)
        elif aim is None:  # pragma: no cover - refused above
            raise CompareError("--target is missing")
        elif rule is Rule.SPEEDRUN:
            found = by_speedrun(observed, aim, by=groups, results=results, workers=workers)
        else:
            found = compare_groups(
                observed, target=aim, by=groups, count_in=count_in, estimand=estimand, workers=workers
            )
    _say(found, output)
    if report is not None or bundle is not None:
        from grokscope.cli.comparing import outputs  # noqa: PLC0415 - charts take a second to load

        if report is not None:
            outputs.write_report(found, observed, report, source=source)
        if bundle is not None:
            outputs.write_bundle(found, observed, bundle, source=source)


def _check(aim: Target | None, rule: Rule | None, *, targets: Path | None, results: Path | None) -> None:
    if rule is Rule.ALGOPERF and targets is None:
        raise CompareError(
            "--rule algoperf needs the targets of its workloads; give them with --targets FILE"
        )
    if targets is not None and rule is not Rule.ALGOPERF:
        raise CompareError("--targets belongs to --rule algoperf; leave it away, or give the rule")
    if results is not None and rule is not Rule.SPEEDRUN:
        raise CompareError("--results belongs to --rule speedrun; leave it away, or give the rule")
    if aim is None and rule is not Rule.ALGOPERF:
        raise CompareError("what is to be reached? Give it with --target, say --target 'val_loss<=3.28'")


def _say(found: Comparison, output: options.Format) -> None:
    if output is options.Format.JSON:
        say_json(json.dumps(found.to_json(), allow_nan=False))
    else:
        say_comparison(found)
