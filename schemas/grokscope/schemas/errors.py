"""Errors that say what was got, what is allowed and what to do."""


class GrokscopeError(Exception):
    """Base of every error that grokscope raises on purpose; its message is one clear sentence."""


class UnknownMetricError(GrokscopeError):
    """A metric key that is not in the table of metrics."""


class NoHomeError(GrokscopeError):
    """Nobody can tell which folder is meant for spools and state."""


class InvalidPointsError(GrokscopeError):
    """A frame that is not a frame of points."""


class InvalidVerdictError(GrokscopeError):
    """A JSON document that is not a verdict."""
