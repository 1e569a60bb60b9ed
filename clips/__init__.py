# SPDX-License-Identifier: Apache-2.0
"""Operator clips that the project renders itself, so that every joint angle in them is known.

`python -m clips.render_operator` draws the film and writes the truth beside it: see `clips.choreography`
for what is performed, `clips.hand_model` for the joints and frames.
"""
