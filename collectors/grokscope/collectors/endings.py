"""How a run ends, as MLflow names it."""

import sys


def status_of(error: BaseException | None) -> str:
    """Return FINISHED, FAILED or KILLED for what ended the training block.

    >>> status_of(None), status_of(ValueError()), status_of(KeyboardInterrupt()), status_of(SystemExit(0))
    ('FINISHED', 'FAILED', 'KILLED', 'FINISHED')
    """
    if error is None or (isinstance(error, SystemExit) and error.code in (None, 0)):
        return "FINISHED"
    return "FAILED" if isinstance(error, Exception | SystemExit) else "KILLED"


def uncaught() -> BaseException | None:
    """Return the error that went through the whole program, if one did."""
    return getattr(sys, "last_value", None)
