# SPDX-License-Identifier: Apache-2.0
"""Where people stand: the `booth` command and the process supervisor."""
