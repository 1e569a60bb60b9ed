# SPDX-License-Identifier: Apache-2.0
"""``python -m booth``."""

import sys

from booth.cli import main

if __name__ == "__main__":
    sys.exit(main())
