"""The loop as LLVM IR, in the form of members.py.

text()          the module's IR; the loop is its first function: i64 run(control)

What run() returns: HANDED, a stop for Python, in control.tid and .status; PAUSED, a signal came, should_stop is set or
the budget is used up; CHILDLESS; FULL, the ring has no room for a record, and its stop waits.
"""

from __future__ import annotations

from invivo.engines.process.native.layout import (
    CALLS,
    HANDED_ENTRY,
    HANDED_RETURN,
    IS_COMM_KEPT,
    IS_NATIVE,
    SLOT_BYTES,
    UNREAD_RETURN,
    WANTED_ENTRY,
    WANTED_RETURN,
)
from invivo.engines.process.native.members import expanded
from invivo.engines.process.native.record_ir import HELPERS, PTRACE, RECORDS, spread

__all__ = ["CHILDLESS", "FULL", "HANDED", "KIND_ENTRY", "KIND_RETURN", "PAUSED", "text"]

HANDED, PAUSED, CHILDLESS, FULL = 0, 1, 2, 3
KIND_ENTRY, KIND_RETURN = 1, 2  # of records; 0 skips the ring's end

_WAIT4, _SYSCALL = 61, 24
_WALL_OF_THIS_THREAD = 0x40000000 | 0x20000000
_FILTERED = 7 << 16 | 5 << 8 | 0x7F  # PTRACE_EVENT_SECCOMP
_CALLED = (5 | 0x80) << 8 | 0x7F  # a system call stop, as PTRACE_O_TRACESYSGOOD marks it
_ECHILD = 10

_RUN = f"""
define i64 @run(ptr %c) {{
entry:
  br label %next
next:
  %stop = get c.should_stop
  %is_stopping = icmp ne i64 %stop, 0
  br i1 %is_stopping, label %pause, label %count
count:
  %left = get c.budget
  %fewer = sub i64 %left, 1
  put c.budget, %fewer
  %is_over = icmp slt i64 %fewer, 0
  br i1 %is_over, label %pause, label %look
pause:
  ret i64 {PAUSED}
look:
  %pending = get c.is_pending
  %is_pending = icmp ne i64 %pending, 0
  br i1 %is_pending, label %dispatch, label %wait
wait:
  %status_at = at c.status
  %got = call i64 @sys(i64 {_WAIT4}, i64 -1, i64 %status_at, i64 {_WALL_OF_THIS_THREAD}, i64 0, i64 0, i64 0)
  %is_none = icmp slt i64 %got, 1
  br i1 %is_none, label %waited, label %stopped
waited:
  %is_childless = icmp eq i64 %got, -{_ECHILD}
  %why = select i1 %is_childless, i64 {CHILDLESS}, i64 {PAUSED}
  ret i64 %why
stopped:
  put c.tid, %got
  br label %dispatch
dispatch:
  put c.is_pending, 0
  %tid = get c.tid
  %tids = get c.tids
  %is_known = icmp ult i64 %tid, %tids
  br i1 %is_known, label %find, label %hand
find:
  %indexes = get c.indexes
  %index_offset = shl i64 %tid, 2
  %index_at = add i64 %indexes, %index_offset
  %index_ptr = inttoptr i64 %index_at to ptr
  %index = load i32, ptr %index_ptr, align 4
  %has_slot = icmp ne i32 %index, 0
  br i1 %has_slot, label %take, label %hand
take:
  %slots = get c.slots
  %index64 = zext i32 %index to i64
  %slot_offset = mul i64 %index64, {SLOT_BYTES}
  %slot_at = add i64 %slots, %slot_offset
  %s = inttoptr i64 %slot_at to ptr
  %flags = get s.flags
  %native = and i32 %flags, {IS_NATIVE}
  %is_native = icmp ne i32 %native, 0
  br i1 %is_native, label %kind, label %hand
hand:
  ret i64 {HANDED}
kind:
  %status64 = get c.status
  %status = trunc i64 %status64 to i32
  %mode = get c.mode
  switch i32 %status, label %hand [ i32 {_FILTERED}, label %entered
                                    i32 {_CALLED}, label %called ]
entered:
  %flags_at_entry = get s.flags
  %flags_anew = and i32 %flags_at_entry, {~IS_COMM_KEPT}
  put s.flags, %flags_anew
  %entry_all = get c.has_registers
  %entry_has_all = icmp ne i64 %entry_all, 0
  br i1 %entry_has_all, label %entry_registers, label %entry_info
called:
  %is_filtered = icmp ne i64 %mode, {_SYSCALL}
  br i1 %is_filtered, label %returned, label %which
which:
  %which_got = call i64 @info(ptr %c, i64 %tid)
  %which_failed = icmp slt i64 %which_got, 1
  br i1 %which_failed, label %next, label %which_op
which_op:
  %op = get c.info
  %op8 = trunc i64 %op to i8
  switch i8 %op8, label %hand [ i8 1, label %entered
                                i8 2, label %returned ]

entry_registers:
  %entry_got = call i64 @registers(ptr %c, i64 %tid)
  %entry_gone = icmp slt i64 %entry_got, 0
  br i1 %entry_gone, label %next, label %entry_registers_arch
entry_registers_arch:
  %entry_is_native = call i1 @keep_arguments(ptr %c, ptr %s)
  br i1 %entry_is_native, label %entry_call, label %hand
entry_info:
  %info_got = call i64 @info(ptr %c, i64 %tid)
  %info_gone = icmp slt i64 %info_got, 1
  br i1 %info_gone, label %next, label %entry_info_arch
entry_info_arch:
  %info_is_native = call i1 @spread_info(ptr %c, ptr %s)
  br i1 %info_is_native, label %entry_call, label %hand
entry_call:
  %number = get c.registers.orig_ax
  %is_call = icmp ult i64 %number, {CALLS}
  br i1 %is_call, label %entry_wanted, label %hand
entry_wanted:
  %wanted = call i32 @wanted(ptr %c, i64 %number)
  %entry_handed = and i32 %wanted, {HANDED_ENTRY}
  %is_entry_handed = icmp ne i32 %entry_handed, 0
  br i1 %is_entry_handed, label %hand, label %entry_own
entry_own:
  put s.number, %number
  %entry_bit = and i32 %wanted, {WANTED_ENTRY}
  %is_entry_wanted = icmp ne i32 %entry_bit, 0
  br i1 %is_entry_wanted, label %entry_record, label %entry_go
entry_record:
  %entry_recipes = get c.entry_recipes
  %entry_done = call i64 @record(ptr %c, ptr %s, i64 {KIND_ENTRY}, i64 %number, i64 %entry_recipes)
  %entry_full = icmp eq i64 %entry_done, 0
  br i1 %entry_full, label %full, label %entry_go
entry_go:
  %return_bits = and i32 %wanted, {WANTED_RETURN | HANDED_RETURN}
  %is_return_wanted = icmp ne i32 %return_bits, 0
  %request = select i1 %is_return_wanted, i64 {_SYSCALL}, i64 %mode
  call i64 @sys(i64 {PTRACE}, i64 %request, i64 %tid, i64 0, i64 0, i64 0, i64 0)
  br label %next

returned:
  %inside = get s.number
  %is_inside = icmp ult i64 %inside, {CALLS}
  br i1 %is_inside, label %return_wanted, label %hand
return_wanted:
  %wanted_then = call i32 @wanted(ptr %c, i64 %inside)
  %return_handed = and i32 %wanted_then, {HANDED_RETURN}
  %is_return_handed = icmp ne i32 %return_handed, 0
  br i1 %is_return_handed, label %hand, label %return_own
return_own:
  %return_bit = and i32 %wanted_then, {WANTED_RETURN}
  %is_return_asked = icmp ne i32 %return_bit, 0
  br i1 %is_return_asked, label %return_asked, label %return_go
return_asked:
  %unread = and i32 %wanted_then, {UNREAD_RETURN}
  %is_unread = icmp ne i32 %unread, 0
  br i1 %is_unread, label %return_record, label %return_read
return_read:
  %return_all = get c.has_registers
  %return_has_all = icmp ne i64 %return_all, 0
  br i1 %return_has_all, label %return_registers, label %return_info
return_registers:
  %return_got = call i64 @registers(ptr %c, i64 %tid)
  %return_gone = icmp slt i64 %return_got, 0
  br i1 %return_gone, label %next, label %return_record
return_info:
  %result_got = call i64 @info(ptr %c, i64 %tid)
  %result_gone = icmp slt i64 %result_got, 1
  br i1 %result_gone, label %next, label %return_op
return_op:
  %result_op = get c.info
  %result_op8 = trunc i64 %result_op to i8
  %is_exit = icmp eq i8 %result_op8, 2
  br i1 %is_exit, label %return_spread, label %hand
return_spread:
  call void @spread_result(ptr %c, ptr %s)
  br label %return_record
return_record:
  %return_recipes = get c.return_recipes
  %return_done = call i64 @record(ptr %c, ptr %s, i64 {KIND_RETURN}, i64 %inside, i64 %return_recipes)
  %return_full = icmp eq i64 %return_done, 0
  br i1 %return_full, label %full, label %return_go
return_go:
  put s.number, -1
  call i64 @sys(i64 {PTRACE}, i64 %mode, i64 %tid, i64 0, i64 0, i64 0, i64 0)
  br label %next
full:
  put c.is_pending, 1
  ret i64 {FULL}
}}
"""


def text() -> str:
    """The module's IR."""
    return expanded(_RUN + HELPERS + spread() + RECORDS)
