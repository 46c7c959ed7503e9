"""Abrupt changes of every run of a table or of logs, as ``detect`` dates them: ``events.py SOURCE``."""

import argparse

from grokscope.cli.comparing.sources import observed_at
from grokscope.cli.terminal import say, say_table
from grokscope.cli.verdict_table import date_text
from grokscope.schemas.frames import as_points
from grokscope.transitions import detect


def main() -> None:
    """Print a line an event."""
    parser = argparse.ArgumentParser(description="Abrupt changes of every run, with their intervals.")
    parser.add_argument("source")
    parser.add_argument("--where", help="a query: which runs")
    asked = parser.parse_args()
    observed = observed_at(asked.source, experiment=None, where=asked.where, metrics=None)
    points = as_points(observed.curves.select("run_id", "metric", "step", "value"))
    rows = [
        (
            verdict.run,
            one.metric,
            str(one.kind),
            date_text(one.onset),
            date_text(one.midpoint),
            f"{one.after:.2f}",
        )
        for verdict in detect(points)
        for one in verdict.transitions
        if one.after is not None
    ]
    titles = ("run", "metric", "event", "onset", "midpoint", "level after")
    say(f"{len(rows)} events in {observed.runs.height} runs")
    say_table(titles, sorted(rows), numbers=titles[3:])


if __name__ == "__main__":
    main()
