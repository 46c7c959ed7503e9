"""AlgoPerf: training algorithms scored by their time to target on many workloads."""
