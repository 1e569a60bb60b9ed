# SPDX-License-Identifier: Apache-2.0
"""Tells MediaPipe's Tasks API how a .tflite model wants its pixels: the NormalizationOptions that some wheels left out.

The model's bytes stay where they are, so its weights keep their alignment and the result is the same on every machine.
What is new follows at the end of the file: offsets of flatbuffers point forward, and two of them are turned there, the
list of metadata and one buffer that no tensor uses. Format: schema.fbs of TensorFlow Lite, "Internals" of FlatBuffers.
"""

import struct

import flatbuffers  # type: ignore[import-untyped]
from mediapipe.tasks.metadata import metadata_schema_py_generated as metadata
from mediapipe.tasks.metadata import schema_py_generated as tflite

NAME = b"TFLITE_METADATA"
ALIGNMENT = 16
BUFFERS, METADATA = 12, 16
"""Places of these lists in the vtable of a model."""


def with_normalization(model: bytes, mean: float, std: float) -> bytes:
    """The model with metadata: pixels 0 … 255 are fed as (pixel - mean) / std.

    Raises:
        ValueError: the file is no TFLite model, has metadata already, or no buffer is free.
    """
    if model[4:8] != b"TFL3":
        raise ValueError("not a TFLite model: no TFL3 identifier")
    root = tflite.Model.GetRootAs(model, 0)
    entries = [(root.Metadata(k).Name(), root.Metadata(k).Buffer()) for k in range(root.MetadataLength())]
    if NAME in dict(entries):
        raise ValueError(f"the model has {NAME.decode()} already")
    buffer = _free_buffer(root, {index for _, index in entries})
    table = root._tab
    lists = {slot: table.Offset(slot) for slot in (BUFFERS, METADATA)}
    if not all(lists.values()):
        raise ValueError("the model has no list of buffers or of metadata")

    data = bytearray(model)
    _turn(data, table.Pos + lists[METADATA], _append_entries(data, [*entries, (NAME, buffer)]))
    _turn(data, table.Vector(lists[BUFFERS]) + 4 * buffer, _append_buffer(data, _normalization(mean, std)))
    return bytes(data)


def _free_buffer(root: tflite.Model, taken: set[int]) -> int:
    """The last buffer that neither a tensor nor metadata names; the first one means "empty" and is never free."""
    graphs = [root.Subgraphs(k) for k in range(root.SubgraphsLength())]
    taken |= {graph.Tensors(k).Buffer() for graph in graphs for k in range(graph.TensorsLength())}
    free = set(range(1, root.BuffersLength())) - taken
    if not free:
        raise ValueError("the model has no free buffer")
    return max(free)


def _normalization(mean: float, std: float) -> bytes:
    """ModelMetadata that says only how the one input image is normalized."""
    options = metadata.NormalizationOptionsT()
    options.mean, options.std = [mean], [std]
    unit = metadata.ProcessUnitT()
    unit.optionsType, unit.options = metadata.ProcessUnitOptions.NormalizationOptions, options
    image = metadata.ImagePropertiesT()
    image.colorSpace = metadata.ColorSpaceType.RGB
    content = metadata.ContentT()
    content.contentPropertiesType, content.contentProperties = metadata.ContentProperties.ImageProperties, image
    tensor = metadata.TensorMetadataT()
    tensor.name, tensor.content, tensor.processUnits = "image", content, [unit]
    graph = metadata.SubGraphMetadataT()
    graph.inputTensorMetadata = [tensor]
    model = metadata.ModelMetadataT()
    model.subgraphMetadata, model.minParserVersion = [graph], "1.0.0"
    builder = flatbuffers.Builder(0)
    builder.Finish(model.Pack(builder), b"M001")
    return bytes(builder.Output())


def _append_buffer(data: bytearray, content: bytes) -> int:
    """A Buffer table {data} with its content, aligned like all others; returns where the table is."""
    _pad(data, ALIGNMENT)
    data += bytes(8) + struct.pack("<HHHxx", 6, 8, 4)
    at = len(data)
    data += struct.pack("<iIxxxxI", 8, 8, len(content)) + content
    _pad(data, 4)
    return at


def _append_entries(data: bytearray, entries: list[tuple[bytes, int]]) -> int:
    """A vector of Metadata tables {name, buffer}; returns where the vector is."""
    _pad(data, 4)
    at = len(data)
    data += struct.pack("<I", len(entries)) + bytes(4 * len(entries))
    for k, (name, buffer) in enumerate(entries):
        data += struct.pack("<HHHH", 8, 12, 4, 8)
        _turn(data, at + 4 + 4 * k, len(data))
        data += struct.pack("<iIII", 8, 8, buffer, len(name)) + name + b"\0"
        _pad(data, 4)
    return at


def _turn(data: bytearray, place: int, target: int) -> None:
    """Let the offset at ``place`` point to ``target``."""
    struct.pack_into("<I", data, place, target - place)


def _pad(data: bytearray, multiple: int) -> None:
    data += bytes(-len(data) % multiple)
