"""Many workloads at once: performance profiles, ranks, speed-ups, each with a bootstrap of the studies."""
