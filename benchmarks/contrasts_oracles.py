"""Values of statsmodels that the tests of contrasts and of the noise floor are held against.

Needs an environment of its own, for statsmodels brings pandas: ``pip install statsmodels``, then
``python benchmarks/contrasts_oracles.py`` rewrites ``tests/data/contrasts_oracles.json``. Some seconds.
"""

import json
from pathlib import Path

import numpy as np
import statsmodels
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestIndPower, TTestPower
from statsmodels.stats.proportion import proportion_confint

OUT = Path(__file__).parents[1] / "tests" / "data" / "contrasts_oracles.json"


def main():
    p_values = [0.011, 0.02, 0.2, 0.005, 0.04, 0.04, 0.9]
    rates = {"power": 0.8, "alpha": 0.05}
    effects = [0.4, 0.8, 1.5, 3.0]
    found = {
        "statsmodels": statsmodels.__version__,
        "p_values": p_values,
        "holm": multipletests(p_values, method="holm")[1].tolist(),
        "benjamini_hochberg": multipletests(p_values, method="fdr_bh")[1].tolist(),
        "effects": effects,
        "two_groups": [float(np.ceil(TTestIndPower().solve_power(e, **rates))) for e in effects],
        "one_group": [float(np.ceil(TTestPower().solve_power(e, **rates))) for e in effects],
        "clopper_pearson_3_of_7": list(proportion_confint(3, 7, method="beta")),
    }
    OUT.write_text(json.dumps(found, indent=1) + "\n")
    print(OUT.read_text())


if __name__ == "__main__":
    main()
