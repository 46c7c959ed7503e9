"""One measure that gives an array at a step: what its name means, and what is on its axes."""

from dataclasses import dataclass

from grokscope.schemas.metrics.measure import Tier


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrayMeasure:
    """One measure whose readings are arrays, as the file of its topic declares it.

    Attributes:
        name: ``<family>/<quantity>``; what is measured of a split, or of a place, has it behind.
        label: What a chart's colour or axis says.
        unit: Unit of the values; ``"1"`` when dimensionless.
        axes: What is on the axes, the first one slowest.
        tier: What measuring it once costs.
        formula: How it is computed.
        source: Where the definition comes from.
    """

    name: str
    label: str
    unit: str
    axes: tuple[str, ...]
    tier: Tier = Tier.CHEAP
    formula: str
    source: str = "definition"

    def at(self, place: str) -> str:
        """Return the name that is logged of a split or a place.

        >>> ArrayMeasure(name="a/b", label="b", unit="1", axes=("k",), formula="b").at("test")
        'a/b/test'
        """
        return f"{self.name}/{place}"
