"""tollbook: a carrier's billing desk in a folder.

The journey, one word per stage, each with its own package, SQL folder, lake folder and DuckDB schema:

1. pull     the provider's records, walked by cursors
2. land     into Parquet, each version of each record once
3. rate     every record on both sides: what it costs us, what we charge
4. invoice  claims, items, taxes, balances, approval
5. render   HTML and PDF
6. deliver  e-mail, at most once
7. measure  the statement that adds up, and any question in SQL
"""

__version__ = "0.1.0"
