"""Rate decks: from a carrier's file to rows of a plan, and from a plan to the sheet that a customer gets.

``sheet`` (with ``xlsx`` and ``text``) makes lines of text cells of whatever the file is; ``header``, ``names`` and
``layout`` find what each column means; ``rows`` (with ``fields``, ``prefix``, ``windows`` and ``terms``) makes rates of
them, or a list of what is wrong; ``file`` is all of that in one call. ``merge`` and ``diff`` hold a deck against the
version in force, ``store`` keeps it; ``export`` writes a plan out again, as CSV or XLSX.
"""
