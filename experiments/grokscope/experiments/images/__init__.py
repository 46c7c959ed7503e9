"""Experiments on images: scikit-learn's bundled digits, which need no download."""
