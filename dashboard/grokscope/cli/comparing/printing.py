"""A comparison for people: the answer, a line a group, a line two groups, and what is to be known."""

from collections.abc import Sequence

from grokscope.cli.terminal import say, say_table, shown
from grokscope.interventions.comparing.records import Comparison, Contrast, GroupResult
from grokscope.interventions.comparing.sentences import spread
from grokscope.interventions.estimate import Estimate

_NONE = "–"
_LARGE = 1000


def say_comparison(comparison: Comparison) -> None:
    """Print a comparison."""
    say(shown(comparison.sentence, limit=4000))
    say("")
    if comparison.scores:
        _say_scores(comparison)
    else:
        _say_groups(comparison.groups, comparison.count_in)
    if comparison.contrasts:
        say("")
        _say_contrasts(comparison.contrasts)
    if comparison.trend is not None:
        say("")
        say(shown(comparison.trend.sentence(comparison.count_in), limit=4000))
    if comparison.caveats:
        say("")
    for caveat in comparison.caveats:
        say(f"- {shown(caveat, limit=4000)}")


def _say_groups(groups: Sequence[GroupResult], unit: str) -> None:
    by_rule = list(groups[0].more) if groups else []
    usual = (f"median {unit}", *(() if by_rule else ("mean in budget",)))
    titles = ("group", "n", "reached", *usual, *by_rule)
    rows = [
        (
            shown(group.group),
            f"{group.n:,}",
            f"{group.reached:,}",
            _cell(group.median),
            *(() if by_rule else (_cell(group.restricted_mean),)),
            *(_exact(group.more.get(name)) for name in by_rule),
        )
        for group in groups
    ]
    say_table(titles, rows, numbers=titles[1:])


def _say_scores(comparison: Comparison) -> None:
    titles = ("group", "score", "95 %")
    rows = [
        (shown(name), f"{score.value or 0:.4f}", _ends(score, "{:.3f}"))
        for name, score in comparison.scores.items()
    ]
    say_table(titles, rows, numbers=titles[1:])


def _say_contrasts(contrasts: Sequence[Contrast]) -> None:
    titles = ("cheaper", "dearer", "times as much", "p", "p of all", "least p")
    rows = [
        (
            shown(one.a),
            shown(one.b),
            _cell(one.speed_up),
            _number(one.p),
            _number(one.adjusted_p),
            f"{one.attainable_p:.2g}",
        )
        for one in contrasts
    ]
    say_table(titles, rows, numbers=titles[2:])


def _cell(estimate: Estimate) -> str:
    return _NONE if estimate.value is None else spread(estimate)


def _ends(estimate: Estimate, form: str) -> str:
    ends = (_NONE if end is None else form.format(end) for end in (estimate.low, estimate.high))
    return "[" + ", ".join(ends) + "]"


def _number(value: float | None) -> str:
    return _NONE if value is None else f"{value:.2g}"


def _exact(value: float | None) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return _NONE if value is None else f"{value:,.6g}" if abs(value) < _LARGE else f"{value:,.0f}"
