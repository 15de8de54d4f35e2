"""Location expressions of DWARF: where a variable is kept at one address of the code.

    locations = Locations(dwarf)                            of an open file, as pyelftools reads it
    locations.place(die, unit, 0x1179, function)            Place("memory", "sp", 24)

In: entries of variables (pyelftools' DIEs). Out: places. What pyelftools raises where a file is damaged comes through.
Source: DWARF Debugging Information Format, version 5: 2.5 (expressions), 2.6 (locations), 6.4 (frames).
"""

from __future__ import annotations

from typing import Any, NamedTuple

from invivo.linux.arch.x86_64_parts import DWARF as _REGISTERS

__all__ = ["Locations", "Place"]

_CFA = -1  # stands for a register: the canonical frame address


class Place(NamedTuple):
    """Where a value is at one address of the code.

    kind "register": in `register` itself. "memory": at register + offset; register "" is a link-time address.
    "value": it is register + offset. "constant": it is `offset`. "none": it is nowhere, `reason` says why.
    """

    kind: str
    register: str = ""
    offset: int = 0
    reason: str = ""


class Locations:
    """The places of one file's variables. `dwarf` is pyelftools' DWARFInfo."""

    def __init__(self, dwarf: Any) -> None:
        self._dwarf = dwarf
        self._rules: list[tuple[int, int, Any]] | None = None

    def place(self, die: Any, unit: Any, address: int, function: Any) -> Place:
        """The place of a variable at an address; `function` is the entry whose frame base it is told by, or None."""
        constant = die.attributes.get("DW_AT_const_value")
        if constant is not None:
            if isinstance(constant.value, int):
                return Place("constant", offset=constant.value)
            return Place("none", reason="it is a constant that is no number")
        attribute = die.attributes.get("DW_AT_location")
        if attribute is None:
            return Place("none", reason="the compiler has removed it")
        expression = self._expression(attribute, unit, address)
        if expression is None:
            return Place("none", reason="it is not kept anywhere at this line")
        base = function.attributes.get("DW_AT_frame_base") if function is not None else None
        return self._evaluated(expression, unit, address, base)

    def _expression(self, attribute: Any, unit: Any, address: int) -> Any:
        """The location expression that holds at an address."""
        from elftools.dwarf.locationlists import LocationExpr, LocationParser

        lists = self._dwarf.location_lists()
        parser = LocationParser(lists)
        version = unit["version"]
        if not parser.attribute_has_location(attribute, version):
            return None
        found: Any = parser.parse_from_attribute(attribute, version, unit.get_top_DIE())
        if isinstance(found, LocationExpr):
            return found.loc_expr
        top = unit.get_top_DIE().attributes
        base = top["DW_AT_low_pc"].value if "DW_AT_low_pc" in top else 0
        for entry in found:
            if hasattr(entry, "base_address"):
                base = entry.base_address
                continue
            if not hasattr(entry, "begin_offset"):
                continue  # a view pair
            start, end = entry.begin_offset, entry.end_offset
            if not getattr(entry, "is_absolute", False):
                start, end = start + base, end + base
            if start <= address < end:
                return entry.loc_expr
        return None

    def _evaluated(self, expression: Any, unit: Any, address: int, frame_base: Any) -> Place:
        from elftools.dwarf.dwarf_expr import DWARFExprParser

        operations = DWARFExprParser(unit.structs).parse_expr(expression)
        if not operations:
            return Place("none", reason="the compiler has removed it")
        # A symbolic stack of one kind of value: register + offset, or a constant ("", offset).
        stack: list[tuple[int | None, int]] = []
        for index, operation in enumerate(operations):
            name, arguments = operation.op_name, operation.args
            is_last = index == len(operations) - 1
            if name.startswith("DW_OP_reg") and name != "DW_OP_regx" and len(operations) == 1:
                return _of_register(operation.op - 0x50)
            if name.startswith("DW_OP_breg"):
                stack.append((operation.op - 0x70, arguments[0]))
            elif name == "DW_OP_fbreg":
                base = self._frame_base(frame_base, unit, address)
                if base is None:
                    return Place("none", reason="its frame base is not understood")
                stack.append((base[0], base[1] + arguments[0]))
            elif name == "DW_OP_call_frame_cfa":
                stack.append((_CFA, 0))
            elif name == "DW_OP_addr" or name.startswith(("DW_OP_const", "DW_OP_lit")):
                stack.append((None, operation.op - 0x30 if name.startswith("DW_OP_lit") else arguments[0]))
            elif name == "DW_OP_plus_uconst" and stack:
                register, offset = stack.pop()
                stack.append((register, offset + arguments[0]))
            elif name in ("DW_OP_plus", "DW_OP_minus") and len(stack) > 1:
                second, first = stack.pop(), stack.pop()
                if second[0] is not None:
                    return _complicated(name)
                stack.append((first[0], first[1] + (second[1] if name == "DW_OP_plus" else -second[1])))
            elif name == "DW_OP_stack_value" and is_last and stack:
                register, offset = stack[-1]
                if register is None:
                    return Place("constant", offset=offset)
                return self._based("value", register, offset, address)
            elif name in ("DW_OP_entry_value", "DW_OP_GNU_entry_value"):
                return Place("none", reason="only its value at the function's entry is known")
            else:
                return _complicated(name)
        if len(stack) != 1:
            return _complicated("an expression")
        register, offset = stack[0]
        if register is None:
            return Place("memory", "", offset)
        return self._based("memory", register, offset, address)

    def _based(self, kind: str, register: int, offset: int, address: int) -> Place:
        if register == _CFA:
            rule = self._frame_rule(address)
            if rule is None:
                return Place("none", reason="there is no call frame information for it")
            register, offset = rule[0], offset + rule[1]
        if not 0 <= register < len(_REGISTERS):
            return Place("none", reason="it is in a vector register, which the kernel does not hand to probes")
        return Place(kind, _REGISTERS[register], offset)

    def _frame_base(self, attribute: Any, unit: Any, address: int) -> tuple[int, int] | None:
        """(register, offset) of a function's frame base."""
        from elftools.dwarf.dwarf_expr import DWARFExprParser

        if attribute is None:
            return None
        expression = self._expression(attribute, unit, address)
        operations = [] if expression is None else DWARFExprParser(unit.structs).parse_expr(expression)
        if len(operations) != 1:
            return None
        operation = operations[0]
        if operation.op_name == "DW_OP_call_frame_cfa":
            return _CFA, 0
        if operation.op_name.startswith("DW_OP_breg"):
            return operation.op - 0x70, operation.args[0]
        if operation.op_name.startswith("DW_OP_reg") and operation.op_name != "DW_OP_regx":
            return operation.op - 0x50, 0
        return None

    def _frame_rule(self, address: int) -> tuple[int, int] | None:
        """The canonical frame address at an address of the code: (DWARF's number of a register, offset)."""
        from elftools.dwarf.callframe import FDE

        if self._rules is None:
            entries: list[Any] = []
            for has, read in (
                (self._dwarf.has_EH_CFI, self._dwarf.EH_CFI_entries), (self._dwarf.has_CFI, self._dwarf.CFI_entries)
            ):  # fmt: skip
                entries += read() if has() else []
            self._rules = [
                (e.header["initial_location"], e.header["initial_location"] + e.header["address_range"], e)
                for e in entries
                if isinstance(e, FDE)
            ]
        for start, end, entry in self._rules:
            if start <= address < end:
                rule = None
                for row in entry.get_decoded().table:
                    if row["pc"] > address:
                        break
                    rule = row["cfa"]
                if rule is not None and rule.reg is not None:
                    return rule.reg, rule.offset
        return None


def _of_register(number: int) -> Place:
    if 0 <= number < len(_REGISTERS):
        return Place("register", _REGISTERS[number])
    return Place("none", reason="it is in a vector register, which the kernel does not hand to probes")


def _complicated(what: str) -> Place:
    return Place("none", reason=f"where it is takes a computation that is not supported ({what})")
