"""Which intervention reaches a target for the least compute: outcomes and costs in, comparisons out.

Pure: numpy, scipy, polars and the schemas.
"""
