"""The door for Dagster: ``pipeline.definitions`` is what ``dagster dev`` and ``dg`` load.

Kept light on purpose: everything is put together in ``pipeline.defs.build``.
"""

from pipeline.defs.build import build_definitions

defs = build_definitions()
