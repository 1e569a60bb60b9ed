# SPDX-License-Identifier: Apache-2.0
"""The operator's page: what a booth shows, sounds and is told, in a browser."""
