# SPDX-License-Identifier: Apache-2.0
"""YAML of a robot file: plain values and the line of every key; no aliases, no repeated keys, no objects."""

import yaml

Place = tuple[str | int, ...]

LEAKED_BY_YAML = (ValueError, TypeError, KeyError, AttributeError)
"""What PyYAML's constructors let through for impossible dates and numbers, wrong tags and lists as keys."""


class YamlTextError(Exception):
    """Text that is not the YAML we take. Scenarios: a tab as indent, an alias, a key twice, `2024-99-99`."""


def parse_yaml(text: str) -> tuple[object, dict[Place, int]]:
    """Values of a YAML document, and the line (from 1) of every key and list item by its place.

    Raises:
        YamlTextError: in one sentence, with the line where YAML knows it.
    """
    try:
        loader = _NoAliasLoader(text)
        try:
            node = loader.get_single_node()
            lines = dict(_lines(node, ()))
            return (None if node is None else loader.construct_document(node)), lines
        finally:
            loader.dispose()
    except RecursionError as error:
        raise YamlTextError("nested too deep") from error
    except (yaml.YAMLError, *LEAKED_BY_YAML) as error:
        raise YamlTextError(str(error)) from error


def _lines(node: yaml.Node | None, where: Place) -> list[tuple[Place, int]]:
    found: list[tuple[Place, int]] = []
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode):
                found.append(((*where, key.value), key.start_mark.line + 1))
                found += _lines(value, (*where, key.value))
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            found.append(((*where, index), value.start_mark.line + 1))
            found += _lines(value, (*where, index))
    return found


class _NoAliasLoader(yaml.SafeLoader):  # type: ignore[misc]
    """SafeLoader that refuses aliases (alias bombs) and repeated keys."""

    def compose_node(self, parent: object, index: object) -> object:
        if self.check_event(yaml.events.AliasEvent):
            event = self.peek_event()
            raise yaml.composer.ComposerError(None, None, "aliases (*name) are not allowed", event.start_mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> object:
        seen: set[object] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.constructor.ConstructorError(None, None, f"key {key!r} appears twice", key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep)
