"""The lake: usage and dimensions as Parquet files that a commit in the ledger names.

The only code that knows DuckDB. ``tables`` says what there is, ``layout`` where it lies, ``lake`` reads, stages and
commits, ``views`` shows it as SQL.
"""
