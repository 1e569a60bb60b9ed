# SPDX-License-Identifier: Apache-2.0
"""Laws are checked however slow the machine is: how fast things are is the benchmarks' business."""

from hypothesis import settings

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
