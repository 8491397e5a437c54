"""``python -m pipeline.cli`` is ``tollbook``."""

from pipeline.cli import main

main()
