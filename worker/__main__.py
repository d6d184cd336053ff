"""`python -m worker` is `upswell`."""

from worker.cli import main

main()
