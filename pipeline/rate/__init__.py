"""Rates every landed record on both sides: what it costs us, and what each customer above it is charged.

``plans`` and ``decks`` make the rate tables, ``engine`` rates days in SQL, ``gate`` and ``audit`` hold the
provider's own charges against ours, ``quote`` and ``explain`` answer for one record with the reference in
``pipeline.domain.rating``.
"""
