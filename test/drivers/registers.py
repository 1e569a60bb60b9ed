# SPDX-License-Identifier: Apache-2.0
"""Registers of a virtual servo by name."""

from drivers.protocol import ErrorNumber

OK = ErrorNumber.NONE


def put(servo, name, value, now_ns=0):
    item = servo.table[name]
    return servo.write(item.address, item.encode(value), now_ns)


def get(servo, name, now_ns=0):
    item = servo.table[name]
    error, data = servo.read(item.address, item.size, now_ns)
    assert error == OK
    return item.decode(data)
