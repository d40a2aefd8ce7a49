"""`python -m sideman` is `sideman`."""

from sideman.cli import main

main()
