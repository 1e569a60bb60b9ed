# SPDX-License-Identifier: Apache-2.0
"""What an operator agrees to before anything of them is recorded. A changed text needs a new version."""

CONSENT_VERSION = "1"

CONSENT_TEXT = """While I operate the robot, this booth records the pictures of its cameras, which show me, and the
positions of my hands, arms and head; with them my operator id, the task and the time. The recordings are used to teach
robots. I can stop at any moment, ask what is kept of me, and withdraw this consent: then nothing more is recorded."""
