# SPDX-License-Identifier: Apache-2.0
"""The graph -> episodes: take log, aligned HDF5 episode, check, recovery, replay. Depends on robots and graph only."""
