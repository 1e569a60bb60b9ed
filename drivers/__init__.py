# SPDX-License-Identifier: Apache-2.0
"""Joint commands to servos: DYNAMIXEL protocol, control tables, limits, the bus loop and the virtual robot."""
