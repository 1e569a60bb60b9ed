# SPDX-License-Identifier: Apache-2.0
"""The operator studio: films a rendered operator whose every joint angle is known, without a camera."""
