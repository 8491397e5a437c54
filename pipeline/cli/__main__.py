"""``python -m pipeline.cli`` is ``tollbook``."""

from pipeline.cli import main

# Processes that render PDFs import this module again; they must not start the command once more.
if __name__ == "__main__":
    main()
