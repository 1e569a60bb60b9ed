# SPDX-License-Identifier: Apache-2.0
"""The page's languages: one JSON file each in ``languages/``."""

LANGUAGES = ("en", "ko", "uz", "ru")
"""English, Korean, Uzbek (Latin script), Russian."""
