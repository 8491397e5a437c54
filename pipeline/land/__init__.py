"""Lands what was pulled: typed, each content once, committed together with the bookmark."""
