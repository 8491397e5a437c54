"""Answers about what the other stages did: the statement that adds up, and the views of ``sql/measure/``."""
