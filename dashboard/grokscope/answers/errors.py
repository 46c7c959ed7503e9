"""What can be wrong with a question."""

from grokscope.schemas import GrokscopeError


class QuestionError(GrokscopeError):
    """A question that cannot be answered as it is asked; the message is one sentence with the remedy."""
