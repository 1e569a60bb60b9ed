# SPDX-License-Identifier: Apache-2.0
"""Whether a time service keeps this computer's clock right, as its kernel knows it.

chrony, ntpd and systemd-timesyncd all tell the kernel; adjtimex(2) without a mode asks it and changes nothing.
"""

import ctypes
import struct

TIMEX_BYTES = 512
"""More than struct timex has on any machine."""
HEAD = struct.Struct("@I4xlllli")
"""Its begin: modes, offset, freq, maxerror, esterror, status."""
STA_UNSYNC = 0x40


def synchronised() -> bool | None:
    """True or False as the kernel says; None where it can't be asked."""
    try:
        ask = ctypes.CDLL(None, use_errno=True).adjtimex
    except (OSError, AttributeError, TypeError):
        return None
    answer = ctypes.create_string_buffer(TIMEX_BYTES)
    if ask(answer) < 0:
        return None
    status = HEAD.unpack_from(answer.raw)[-1]
    return not status & STA_UNSYNC
