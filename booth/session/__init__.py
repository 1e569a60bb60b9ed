# SPDX-License-Identifier: Apache-2.0
"""Who works in a booth on what: operators, tasks, sessions, training. No ROS and no web server in here."""
