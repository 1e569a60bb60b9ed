# SPDX-License-Identifier: Apache-2.0
"""Benchmarks: figures come from here, as ratios against a limit or a peer measured in the same run; no tests."""
