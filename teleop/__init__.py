# SPDX-License-Identifier: Apache-2.0
"""Operator to joint commands: cameras, tracking, gestures, retargeting, engage and hold."""
