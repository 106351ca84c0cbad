"""The filter's program: sound jumps, every number answered, none twice."""

from __future__ import annotations

import struct

import pytest

from kalibr_bench.gauntlet.sandbox.inside import seccomp

WORD = struct.Struct("=HBBI")
MACHINES = list(seccomp.MACHINES)


def verdict(
    machine: str, number: int, *, arch: int | None = None, first: int = 0, third: int = 0
) -> int:
    """What the program returns for a call: the few instructions that it has, interpreted."""
    code = list(WORD.iter_unpack(seccomp.program(machine) or b""))
    data = {0: number, 4: arch if arch is not None else seccomp.MACHINES[machine][1]}
    data |= {16: first, 32: third}
    at = held = 0
    while True:
        operation, if_true, if_false, value = code[at]
        at += 1
        if operation == seccomp.RETURN:
            return value
        if operation == seccomp.LOAD:
            held = data[value]
            continue
        tests = {
            seccomp.EQUAL: held == value,
            seccomp.AT_LEAST: held >= value,
            seccomp.ANY_BIT: bool(held & value),
        }
        at += if_true if tests[operation] else if_false


@pytest.mark.parametrize("machine", MACHINES)
def test_every_table_entry_has_its_action(machine: str) -> None:
    column = seccomp.MACHINES[machine][0]
    for table, action in ((seccomp.ALLOWED, seccomp.ALLOW), (seccomp.KILLED, seccomp.KILL)):
        for name, numbers in table.items():
            if numbers[column] is not None:
                assert verdict(machine, numbers[column]) == action, name
    assert verdict(machine, 999) == seccomp.DENY


@pytest.mark.parametrize("machine", MACHINES)
def test_only_the_requests_are_read_only_the_answers_written(machine: str) -> None:
    column = seccomp.MACHINES[machine][0]
    read, write = seccomp.READ[column], seccomp.WRITE[column]
    assert [verdict(machine, read, first=fd) for fd in (0, 1, 2)] == [
        *(seccomp.ALLOW, seccomp.DENY, seccomp.DENY)
    ]
    assert [verdict(machine, write, first=fd) for fd in (0, 1, 2)] == [
        *(seccomp.DENY, seccomp.ALLOW, seccomp.DENY)
    ]


@pytest.mark.parametrize("machine", MACHINES)
def test_no_memory_becomes_executable(machine: str) -> None:
    for call in (seccomp.MMAP, seccomp.MPROTECT):
        number = call[seccomp.MACHINES[machine][0]]
        assert verdict(machine, number, third=3) == seccomp.ALLOW
        assert verdict(machine, number, third=7) == seccomp.DENY


def test_calls_of_another_architecture_are_killed() -> None:
    assert verdict("x86_64", 0, arch=0x40000003) == seccomp.KILL
    assert verdict("x86_64", seccomp.X32 | 1) == seccomp.KILL


@pytest.mark.parametrize("machine", MACHINES)
def test_no_number_is_in_two_tables(machine: str) -> None:
    column = seccomp.MACHINES[machine][0]
    tables = (*seccomp.ALLOWED.values(), *seccomp.KILLED.values())
    numbers = [n[column] for n in tables if n[column] is not None]
    numbers += [n[column] for n in (seccomp.READ, seccomp.WRITE, seccomp.MMAP, seccomp.MPROTECT)]
    assert len(numbers) == len(set(numbers))


def test_an_unknown_machine_has_no_program() -> None:
    assert seccomp.program("riscv64") is None
