# SPDX-License-Identifier: Apache-2.0
"""What passes between the rooms: topic names and types, QoS, stamps, node specifications. No logic, no ROS import."""
