"""Master data: customers, sellers, plan assignments, tax rules and policy, read from files in the home.

They are files so that a person can read, diff and version them; they are read whole and checked whole, and an
error names its file and line. Rate decks are not here: they are big and live in the lake.
"""
