"""Measures whole processes of `reconciler` against a made-up company, a page server on loopback, and other programs."""
