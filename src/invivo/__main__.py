"""`python -m invivo`: the same as the command `invivo`."""

import sys

from invivo.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
