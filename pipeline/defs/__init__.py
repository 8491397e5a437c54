"""Dagster: one file per concept, wiring only.

What a step does is in ``pipeline.desk`` and the stages; here is only when it runs, after what, and what is shown of
it. Nothing but this package and ``pipeline.definitions`` imports Dagster.
"""
