"""One plain word for where a run in training stands, with what it rests on."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from grokscope.dashboard.state.phases import Phase
from grokscope.transitions import State
from grokscope.transitions.live.feed import ALPHA

Colour = Literal["gray", "orange", "violet", "blue", "green", "red"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chip:
    """What is said of a run in a word.

    Attributes:
        word: The word.
        colour: Of its badge; it says nothing that the word does not.
        help: What it means and what says so, as a sentence.
    """

    word: str
    colour: Colour
    help: str


_SUSPECTED = Chip(
    word="perhaps generalizing",
    colour="blue",
    help="The detector suspects a rise of the held-out curve; the verdict on all points does not confirm it "
    f"yet. A run that stays at its level is ever suspected with a probability of {ALPHA * 100:g} % at most "
    f"(e-process, α = {ALPHA:g}).",
)
_LOST = Chip(
    word="collapsed",
    colour="red",
    help="What was learned was lost again, by the verdict on all points.",
)
_SILENT = Chip(
    word="silent",
    colour="gray",
    help="The run says that it is training, and nothing has been heard of it for too long: its trainer has "
    "gone, or hangs.",
)
_OF_PHASES: Mapping[Phase, Chip] = {
    Phase.STARTING: Chip(
        word="starting", colour="gray", help="No loss, accuracy or other score has been logged yet."
    ),
    Phase.UNJUDGED: Chip(
        word="training",
        colour="gray",
        help="Its log cannot be judged so far; the page Run says why.",
    ),
    Phase.MEMORIZING: Chip(
        word="learning",
        colour="orange",
        help="The training set is not fit yet, and the held-out curve has not risen clearly.",
    ),
    Phase.WAITING: Chip(
        word="memorized",
        colour="violet",
        help="The training set is fit; the held-out curve has not risen yet.",
    ),
    Phase.GENERALIZING: Chip(
        word="generalizing",
        colour="blue",
        help="The held-out curve has left its plateau, by the verdict on all points; its rise is not done.",
    ),
    Phase.GENERALIZED: Chip(
        word="generalized",
        colour="green",
        help="The rise of the held-out curve is done, by the verdict on all points.",
    ),
    Phase.COLLAPSED: _LOST,
    Phase.DIVERGED: Chip(
        word="diverged", colour="red", help="A loss or a score is not a number any more, or infinite."
    ),
}
_OF_ENDED: Mapping[Phase, Chip] = {
    Phase.STARTING: Chip(word="nothing logged", colour="gray", help="No loss, accuracy or other score was."),
    Phase.UNJUDGED: Chip(
        word="not judged", colour="gray", help="Its log cannot be judged; the page Run says why."
    ),
    Phase.MEMORIZING: Chip(
        word="not fit",
        colour="gray",
        help="It ended before the training set was fit or the held-out curve rose.",
    ),
    Phase.GENERALIZING: Chip(
        word="began to generalize",
        colour="blue",
        help="The held-out curve had left its plateau, by the verdict on all points; its rise was not done.",
    ),
}
"""Of phases that a run which has ended is in no longer."""
_BEFORE_A_RISE = frozenset({Phase.STARTING, Phase.UNJUDGED, Phase.MEMORIZING, Phase.WAITING})


def chip_of(phase: Phase, state: State | None, *, is_silent: bool = False, has_ended: bool = False) -> Chip:
    """Return the word for a run.

    Args:
        phase: What its verdict shows.
        state: Where its detector stands; ``None`` of a run without one, or whose log is still being read.
        is_silent: Whether it has not been heard of for too long.
        has_ended: Whether it is done: nothing is suspected of it any more.

    >>> chip_of(Phase.WAITING, State.NOT_YET).word, chip_of(Phase.WAITING, State.SUSPECTED).word
    ('memorized', 'perhaps generalizing')
    >>> chip_of(Phase.WAITING, State.SUSPECTED, is_silent=True).word
    'silent'
    >>> chip_of(Phase.GENERALIZING, State.CONFIRMED, has_ended=True).word
    'began to generalize'
    """
    if is_silent:
        return _SILENT
    if state is State.REGRESSED:
        return _LOST
    if has_ended:
        return _OF_ENDED.get(phase, _OF_PHASES[phase])
    if state is State.SUSPECTED and phase in _BEFORE_A_RISE:
        return _SUSPECTED
    return _OF_PHASES[phase]
