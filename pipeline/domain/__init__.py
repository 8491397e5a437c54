"""The rules of billing as plain values and functions: no I/O, no database, no frames.

This package is the specification. The fast engine in ``sql/`` is held to it by tables of cases and on random input.
"""
