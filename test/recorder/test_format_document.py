# SPDX-License-Identifier: Apache-2.0
"""docs/format.md is the normative text: it names everything that the code writes."""

import re
from pathlib import Path

from takes import Script, make_take

from recorder import schema
from recorder.check import check_episode
from recorder.finalise import finalise

TEXT = (Path(__file__).parents[2] / "docs" / "format.md").read_text(encoding="utf-8")


def test_the_document_lists_every_dataset_with_its_type_and_shape():
    tables = (schema.DATASETS, schema.STREAM_DATASETS, schema.CAUSED_DATASETS, schema.CAMERA_DATASETS)
    for table in tables:
        for path, item in table.items():
            kind = "UTF-8 text" if item.dtype == "object" else item.dtype
            sizes = ", ".join(str(size) for size in item.shape) + ("," if len(item.shape) == 1 else "")
            assert f"| `{path}` | {kind} | ({sizes}) |" in TEXT


def test_the_document_lists_every_attribute_and_link():
    for name in (*schema.ROOT_ATTRIBUTES, *schema.SESSION_ATTRIBUTES, *schema.HARD_LINKS):
        assert f"`{name}`" in TEXT


def test_the_document_states_the_schema_version():
    assert f"Schema `{schema.SCHEMA_NAME}`, version {schema.SCHEMA_VERSION}." in TEXT


def test_the_document_explains_every_finding(tmp_path):
    report = check_episode(finalise(make_take(tmp_path / "a.mcap", Script())).path)
    explained = set(re.findall(r"^\| `(\w+)` \|", TEXT, re.MULTILINE))
    assert {finding.code for finding in report.findings} <= explained
