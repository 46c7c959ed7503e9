"""What a W&B run knows besides its history: its configuration and its summary."""

from collections.abc import Mapping
from typing import Any, cast


class Config(dict[str, Any]):
    """A configuration that is read and written as ``config["lr"]`` and as ``config.lr``.

    >>> config = Config({"lr": 0.1})
    >>> config.seed = 3
    >>> config.update({"depth": 2})
    >>> config.lr, config["seed"], config.as_dict()
    (0.1, 3, {'lr': 0.1, 'seed': 3, 'depth': 2})
    """

    def __getattr__(self, name: str) -> Any:
        if name not in self:
            raise AttributeError(f"config has no {name!r}; it has {', '.join(self) or 'nothing'}")
        return self[name]

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value

    def update(self, *values: Any, **named: Any) -> None:
        """Take settings from a mapping or a namespace; ``allow_val_change`` is granted."""
        named.pop("allow_val_change", None)
        super().update(settings_of(next(iter(values), None)) | named)

    def setdefaults(self, values: object) -> None:
        """Take those settings that are not there yet."""
        super().update(settings_of(values) | self)

    def as_dict(self) -> dict[str, Any]:
        """Return the settings as a dictionary of their own."""
        return dict(self)


def settings_of(values: object) -> dict[str, Any]:
    """Return a mapping's or a namespace's settings.

    >>> import argparse
    >>> settings_of(argparse.Namespace(lr=0.1)), settings_of(None)
    ({'lr': 0.1}, {})
    """
    if not values:
        return {}
    if isinstance(values, Mapping):
        return {str(key): value for key, value in cast("Mapping[Any, Any]", values).items()}
    return dict(vars(values))


class Summary(dict[str, Any]):
    """The last value of everything, and what the program puts there itself.

    Attributes:
        own: What the program put there.
    """

    def __init__(self) -> None:
        super().__init__()
        object.__setattr__(self, "own", {})

    own: dict[str, Any]

    def __setitem__(self, name: str, value: Any) -> None:
        self.own[name] = value
        super().__setitem__(name, value)

    def __getattr__(self, name: str) -> Any:
        if name not in self:
            raise AttributeError(f"summary has no {name!r}")
        return self[name]

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value

    def update(self, *values: Any, **named: Any) -> None:
        """Put values of the program there."""
        for name, value in (settings_of(next(iter(values), None)) | named).items():
            self[name] = value

    def logged(self, values: Mapping[str, Any]) -> None:
        """Note last values."""
        super().update(values)
