"""What the loop calls, as LLVM IR: system calls, registers, and the writing of a record with its pieces of memory.

RECORDS     i64 @record(control, slot, kind, number, recipes by number): 1, or 0 if there is no room
HELPERS     i64 @sys(number, six arguments); @info and @registers of a stopped thread; i32 @wanted(control, number)
spread()    i1 @spread_info, void @spread_result, i1 @keep_arguments: the loop's registers from what was asked
"""

from __future__ import annotations

from invivo.engines.process.native.layout import (
    ARGUMENTS,
    BRIEF,
    IS_ALONE,
    IS_COMM_KEPT,
    KEEPS_COMM,
    REGISTERS_BYTES,
)

__all__ = ["HELPERS", "PTRACE", "RECIPE_BYTES", "RECIPE_COMM", "RECIPE_STRING", "RECORDS", "spread"]

RECIPE_BYTES, RECIPE_STRING, RECIPE_COMM = 0, 1, 2

# System calls and requests, x86-64: <asm/unistd_64.h>, <linux/ptrace.h>.
PTRACE = 101
_READV, _PREAD = 310, 17
_GETREGS, _GET_SYSCALL_INFO = 12, 0x420E
_INFO_BYTES = 88
_ENOSYS = 38
_ARCH = 0xC000003E
_CS, _SS = 0x33, 0x2B

HELPERS = f"""
define internal i64 @sys(i64 %n, i64 %a, i64 %b, i64 %d, i64 %e, i64 %f, i64 %g) {{
  %result = call i64 asm sideeffect "syscall", "={{rax}},{{rax}},{{rdi}},{{rsi}},{{rdx}},{{r10}},{{r8}},{{r9}},~{{rcx}},~{{r11}},~{{memory}}"(i64 %n, i64 %a, i64 %b, i64 %d, i64 %e, i64 %f, i64 %g)
  ret i64 %result
}}

define internal i64 @info(ptr %c, i64 %tid) {{
  %info_at = at c.info
  %got = call i64 @sys(i64 {PTRACE}, i64 {_GET_SYSCALL_INFO}, i64 %tid, i64 {_INFO_BYTES}, i64 %info_at, i64 0, i64 0)
  ret i64 %got
}}

define internal i64 @registers(ptr %c, i64 %tid) {{
  %registers_at = at c.registers
  %got = call i64 @sys(i64 {PTRACE}, i64 {_GETREGS}, i64 %tid, i64 0, i64 %registers_at, i64 0, i64 0)
  ret i64 %got
}}

define internal i32 @wanted(ptr %c, i64 %number) {{
  %table = get c.wanted
  %at = add i64 %table, %number
  %ptr = inttoptr i64 %at to ptr
  %byte = load i8, ptr %ptr, align 1
  %wide = zext i8 %byte to i32
  ret i32 %wide
}}
"""  # noqa: E501

RECORDS = f"""
define internal i64 @record(ptr %c, ptr %s, i64 %kind, i64 %number, i64 %table) {{
entry:
  %head = get c.head
  %tail = get c.tail
  %size = get c.ring_bytes
  %most = get c.record_bytes
  %ring = get c.ring
  %used = sub i64 %head, %tail
  %free = sub i64 %size, %used
  %twice = shl i64 %most, 1
  %has_room = icmp uge i64 %free, %twice
  br i1 %has_room, label %place, label %none
none:
  ret i64 0
place:
  %mask = sub i64 %size, 1
  %position = and i64 %head, %mask
  %rest = sub i64 %size, %position
  %fits = icmp uge i64 %rest, %most
  br i1 %fits, label %write, label %skip
skip:
  %skip_at = add i64 %ring, %position
  %skip_ptr = inttoptr i64 %skip_at to ptr
  store i64 %rest, ptr %skip_ptr, align 8
  %begin = add i64 %head, %rest
  br label %write
write:
  %start = phi i64 [ %head, %place ], [ %begin, %skip ]
  %offset = and i64 %start, %mask
  %record_at = add i64 %ring, %offset
  %r = inttoptr i64 %record_at to ptr
  %kind8 = trunc i64 %kind to i8
  put r.kind, %kind8
  %tid = get s.tid
  put r.tid, %tid
  %pid = get s.pid
  put r.pid, %pid
  put r.number, %number
  %clock = get c.clock
  %clock_ptr = inttoptr i64 %clock to ptr
  %time_at = at c.time
  %unused = call i32 %clock_ptr(i32 1, i64 %time_at)
  %seconds = get c.time
  %fraction = get c.time+8
  %whole = mul i64 %seconds, 1000000000
  %time_ns = add i64 %whole, %fraction
  put r.time_ns, %time_ns
  %source = at c.registers
  %target = at r.registers
  %all_registers = get c.has_registers
  %has_all = icmp ne i64 %all_registers, 0
  br i1 %has_all, label %copy, label %brief
brief:
  %b0 = get c.registers+{8 * BRIEF[0]}
  put r.registers+0, %b0
  %b1 = get c.registers+{8 * BRIEF[1]}
  put r.registers+8, %b1
  %b2 = get c.registers+{8 * BRIEF[2]}
  put r.registers+16, %b2
  %b3 = get c.registers+{8 * BRIEF[3]}
  put r.registers+24, %b3
  %b4 = get c.registers+{8 * BRIEF[4]}
  put r.registers+32, %b4
  %b5 = get c.registers+{8 * BRIEF[5]}
  put r.registers+40, %b5
  %b6 = get c.registers+{8 * BRIEF[6]}
  put r.registers+48, %b6
  %b7 = get c.registers+{8 * BRIEF[7]}
  put r.registers+56, %b7
  %b8 = get c.registers+{8 * BRIEF[8]}
  put r.registers+64, %b8
  br label %recipes
copy:
  %i = phi i64 [ 0, %write ], [ %j, %copy ]
  %from_at = add i64 %source, %i
  %to_at = add i64 %target, %i
  %from = inttoptr i64 %from_at to ptr
  %to = inttoptr i64 %to_at to ptr
  %word = load i64, ptr %from, align 8
  store i64 %word, ptr %to, align 8
  %j = add i64 %i, 8
  %is_more = icmp ult i64 %j, {REGISTERS_BYTES}
  br i1 %is_more, label %copy, label %recipes
recipes:
  %registers_size = phi i64 [ {REGISTERS_BYTES}, %copy ], [ {8 * len(BRIEF)}, %brief ]
  %list_offset = shl i64 %number, 2
  %list_at = add i64 %table, %list_offset
  %list_ptr = inttoptr i64 %list_at to ptr
  %list = load i32, ptr %list_ptr, align 4
  %count = and i32 %list, 255
  %first = lshr i32 %list, 8
  %count8 = trunc i32 %count to i8
  put r.pieces, %count8
  %all = get c.recipes
  %first64 = zext i32 %first to i64
  %first_offset = shl i64 %first64, 4
  %first_at = add i64 %all, %first_offset
  %count64 = zext i32 %count to i64
  %all_bytes = shl i64 %count64, 4
  %last_at = add i64 %first_at, %all_bytes
  %behind = add i64 %target, %registers_size
  br label %piece
piece:
  %recipe_at = phi i64 [ %first_at, %recipes ], [ %next_at, %each ]
  %out = phi i64 [ %behind, %recipes ], [ %out_next, %each ]
  %is_last = icmp uge i64 %recipe_at, %last_at
  br i1 %is_last, label %done, label %each
each:
  %out_next = call i64 @piece(ptr %c, ptr %s, i64 %recipe_at, i64 %out)
  %next_at = add i64 %recipe_at, 16
  br label %piece
done:
  %length = sub i64 %out, %record_at
  %length32 = trunc i64 %length to i32
  put r.size, %length32
  %end = add i64 %start, %length
  %head_at = at c.head
  %head_ptr = inttoptr i64 %head_at to ptr
  store atomic i64 %end, ptr %head_ptr release, align 8
  ret i64 1
}}

define internal i64 @piece(ptr %c, ptr %s, i64 %recipe, i64 %out) {{
entry:
  %q = inttoptr i64 %recipe to ptr
  %kind = get q.kind
  %register = get q.register
  %registers = at c.registers
  %register64 = zext i8 %register to i64
  %register_offset = shl i64 %register64, 3
  %register_at = add i64 %registers, %register_offset
  %register_ptr = inttoptr i64 %register_at to ptr
  %base = load i64, ptr %register_ptr, align 8
  %displacement = get q.displacement
  %address = add i64 %base, %displacement
  %out_ptr = inttoptr i64 %out to ptr
  store i64 %address, ptr %out_ptr, align 8
  %data = add i64 %out, 16
  %limit32 = get q.limit
  %limit = zext i32 %limit32 to i64
  switch i8 %kind, label %bytes [ i8 {RECIPE_STRING}, label %string
                                  i8 {RECIPE_COMM}, label %comm ]
comm:
  %flags = get s.flags
  %kept = and i32 %flags, {IS_COMM_KEPT}
  %is_kept = icmp ne i32 %kept, 0
  br i1 %is_kept, label %comm_known, label %comm_read
comm_known:
  %known_0 = get s.comm
  %known_8 = get s.comm+8
  %data_ptr = inttoptr i64 %data to ptr
  store i64 %known_0, ptr %data_ptr, align 8
  %data_8 = add i64 %data, 8
  %data_8_ptr = inttoptr i64 %data_8 to ptr
  store i64 %known_8, ptr %data_8_ptr, align 8
  %known_length = get s.comm_bytes
  br label %finish
comm_read:
  %comm_fd = get s.comm_fd
  %fd = sext i32 %comm_fd to i64
  %comm_got = call i64 @sys(i64 {_PREAD}, i64 %fd, i64 %data, i64 16, i64 0, i64 0, i64 0)
  %comm_length = sub i64 %comm_got, 1
  %alone = and i32 %flags, {IS_ALONE}
  %is_alone = icmp ne i32 %alone, 0
  br i1 %is_alone, label %comm_alone, label %finish
comm_alone:
  %comm_number = get c.registers.orig_ax
  %comm_wanted = call i32 @wanted(ptr %c, i64 %comm_number)
  %keeps = and i32 %comm_wanted, {KEEPS_COMM}
  %is_keeping = icmp ne i32 %keeps, 0
  br i1 %is_keeping, label %comm_keep, label %finish
comm_keep:
  %read_ptr = inttoptr i64 %data to ptr
  %read_0 = load i64, ptr %read_ptr, align 8
  put s.comm, %read_0
  %data_next = add i64 %data, 8
  %read_8_ptr = inttoptr i64 %data_next to ptr
  %read_8 = load i64, ptr %read_8_ptr, align 8
  put s.comm+8, %read_8
  put s.comm_bytes, %comm_length
  %flags_kept = or i32 %flags, {IS_COMM_KEPT}
  put s.flags, %flags_kept
  br label %finish
bytes:
  %length_register = get q.length_register
  %is_fixed = icmp eq i8 %length_register, -1
  br i1 %is_fixed, label %read, label %measured
measured:
  %length_register64 = zext i8 %length_register to i64
  %length_offset = shl i64 %length_register64, 3
  %length_at = add i64 %registers, %length_offset
  %length_ptr = inttoptr i64 %length_at to ptr
  %wanted = load i64, ptr %length_ptr, align 8
  %is_less = icmp slt i64 %wanted, %limit
  %is_negative = icmp slt i64 %wanted, 0
  %positive = select i1 %is_negative, i64 0, i64 %wanted
  %fitting = select i1 %is_less, i64 %positive, i64 %limit
  br label %read
read:
  %bytes_size = phi i64 [ %limit, %bytes ], [ %fitting, %measured ]
  %bytes_got = call i64 @fetch(ptr %c, ptr %s, i64 %address, i64 %data, i64 %bytes_size)
  br label %finish
string:
  %so_far = phi i64 [ 0, %entry ], [ %with_chunk, %chunk_next ]
  %is_whole = icmp uge i64 %so_far, %limit
  br i1 %is_whole, label %finish, label %chunk
chunk:
  %chunk_from = add i64 %address, %so_far
  %chunk_to = add i64 %data, %so_far
  %in_page = and i64 %chunk_from, 4095
  %page_rest = sub i64 4096, %in_page
  %still = sub i64 %limit, %so_far
  %is_page_less = icmp ult i64 %page_rest, %still
  %chunk_most = select i1 %is_page_less, i64 %page_rest, i64 %still
  %is_long = icmp ugt i64 %chunk_most, 256
  %chunk_size = select i1 %is_long, i64 256, i64 %chunk_most
  %chunk_got = call i64 @fetch(ptr %c, ptr %s, i64 %chunk_from, i64 %chunk_to, i64 %chunk_size)
  %is_bad = icmp ne i64 %chunk_got, %chunk_size
  br i1 %is_bad, label %finish, label %scan
scan:
  %k = phi i64 [ 0, %chunk ], [ %k_next, %scan_on ]
  %is_scanned = icmp uge i64 %k, %chunk_size
  br i1 %is_scanned, label %chunk_next, label %scan_byte
scan_byte:
  %byte_at = add i64 %chunk_to, %k
  %byte_ptr = inttoptr i64 %byte_at to ptr
  %byte = load i8, ptr %byte_ptr, align 1
  %is_nul = icmp eq i8 %byte, 0
  br i1 %is_nul, label %ended, label %scan_on
scan_on:
  %k_next = add i64 %k, 1
  br label %scan
chunk_next:
  %with_chunk = add i64 %so_far, %chunk_size
  br label %string
ended:
  %text_size = add i64 %so_far, %k
  br label %finish
finish:
  %got = phi i64 [ %known_length, %comm_known ], [ %comm_length, %comm_read ], [ %comm_length, %comm_alone ], [ %comm_length, %comm_keep ], [ %bytes_got, %read ], [ %so_far, %string ], [ -1, %chunk ], [ %text_size, %ended ]
  %is_failed = icmp slt i64 %got, 0
  %length = select i1 %is_failed, i64 0, i64 %got
  %answer = select i1 %is_failed, i64 -1, i64 %got
  %answer32 = trunc i64 %answer to i32
  %length_place = add i64 %out, 8
  %length_place_ptr = inttoptr i64 %length_place to ptr
  store i32 %answer32, ptr %length_place_ptr, align 4
  %end = add i64 %data, %length
  %padded = add i64 %end, 7
  %aligned = and i64 %padded, -8
  ret i64 %aligned
}}

define internal i64 @fetch(ptr %c, ptr %s, i64 %from, i64 %to, i64 %size) {{
  put c.local, %to
  put c.local+8, %size
  put c.remote, %from
  put c.remote+8, %size
  %tid32 = get s.tid
  %tid = zext i32 %tid32 to i64
  %local = at c.local
  %remote = at c.remote
  %got = call i64 @sys(i64 {_READV}, i64 %tid, i64 %local, i64 1, i64 %remote, i64 1, i64 0)
  ret i64 %got
}}
"""  # noqa: E501


def spread() -> str:
    """What struct ptrace_syscall_info says of an entry or a return, as registers."""
    lines = [
        "define internal i1 @spread_info(ptr %c, ptr %s) {",
        "  %first = get c.info",
        "  %arch = lshr i64 %first, 32",
        f"  %is_native = icmp eq i64 %arch, {_ARCH}",
        "  %number = get c.info+24",
        "  put c.registers.orig_ax, %number",
    ]
    for index, register in enumerate(ARGUMENTS):
        lines += [
            f"  %a{index} = get c.info+{32 + 8 * index}",
            f"  put c.registers+{8 * register}, %a{index}",
            f"  put s.arguments+{8 * index}, %a{index}",
        ]
    fixed = [f"  put c.registers.cs, {_CS}", f"  put c.registers.ss, {_SS}"]
    places = [
        "  %ip = get c.info+8", "  put c.registers.ip, %ip", "  %sp = get c.info+16", "  put c.registers.sp, %sp",
    ]  # fmt: skip
    lines += [*places, *fixed, f"  put c.registers.ax, -{_ENOSYS}", "  ret i1 %is_native", "}", ""]
    lines += [
        "define internal void @spread_result(ptr %c, ptr %s) {",
        "  %number = get s.number", "  put c.registers.orig_ax, %number",
        "  %result = get c.info+24", "  put c.registers.ax, %result",
    ]  # fmt: skip
    for index, register in enumerate(ARGUMENTS):
        lines += [f"  %a{index} = get s.arguments+{8 * index}", f"  put c.registers+{8 * register}, %a{index}"]
    lines += [*places, *fixed, "  ret void", "}", ""]
    lines += [
        "define internal i1 @keep_arguments(ptr %c, ptr %s) {",
        "  %cs = get c.registers.cs",
        f"  %is_native = icmp eq i64 %cs, {_CS}",
    ]
    for index, register in enumerate(ARGUMENTS):
        lines += [f"  %a{index} = get c.registers+{8 * register}", f"  put s.arguments+{8 * index}, %a{index}"]
    return "\n".join([*lines, "  ret i1 %is_native", "}"])
