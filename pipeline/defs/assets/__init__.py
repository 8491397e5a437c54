"""The assets, a file per stage, keyed ``<stage>/<table>``.

Add a stage's module to ``ALL``. Every asset is a thin call on the desk and says what it did in its metadata; all
return ``MaterializeResult``, because anything else goes through an IO manager and fails in runs over a range. See
https://docs.dagster.io/guides/build/assets.
"""

from pipeline.defs.assets import deliver, fraud, invoice, land, measure, rate, render

ALL = [*land.ALL, *rate.ALL, *invoice.ALL, *render.ALL, *deliver.ALL, *measure.ALL, *fraud.ALL]
