"""Turns rated records into invoices: claims, items, taxes, balances, approval, payments.

``billing`` is the run; ``due`` says which periods it is for, ``gate`` who may not be invoiced and why, ``claims``
what their records come to, ``rent`` what their numbers cost, ``draft`` puts an invoice together. ``issue`` carries an
invoice through its life, ``books`` keeps the double entry, ``export`` copies the ledger's rows into the lake.
"""
