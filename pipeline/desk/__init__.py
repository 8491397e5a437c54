"""The desk: an open home, and each step of the journey as one call on it.

The command line and Dagster are two ways to press the same buttons, so the buttons are here: a step knows the
settings, the stage it calls and the lock, and nothing about how it is shown or scheduled. ``room`` opens and locks a
home, ``landing`` pulls and lands, ``billing`` rates, invoices and sends, ``desk`` answers.
"""

from pipeline.desk.desk import Desk
from pipeline.desk.room import Progress, quiet

__all__ = ["Desk", "Progress", "quiet"]
