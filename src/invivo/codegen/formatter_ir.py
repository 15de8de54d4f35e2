"""LLVM IR of what every compiled formatter needs: numbers, padding, strings. All functions are internal to the module.

    put_decimal(dst, 42, sign 0, width 5, mode 0)   "   42", returns dst + 5
    put_radix(dst, 255, 4, ...)                     "ff"
    put_string(dst, src, limit, width, mode, is_escaped)

A mode is 0 to pad on the left with spaces, 1 on the right with spaces, 2 on the left with zeros. Each function may
write up to SLACK bytes beyond what it returns, and copy() reads up to 7 beyond its source: stores of eight bytes are
cheaper than loops of one. Strings in records are read byte by byte, never beyond their limit.
"""

from __future__ import annotations

__all__ = ["RUNTIME", "SLACK"]

SLACK = 32

RUNTIME = """
define internal fastcc ptr @fill(ptr %dst, i64 %pattern, i64 %count) #0 {
entry:
  %any = icmp sgt i64 %count, 0
  br i1 %any, label %loop, label %none
loop:
  %i = phi i64 [ 0, %entry ], [ %next, %loop ]
  %at = getelementptr i8, ptr %dst, i64 %i
  store i64 %pattern, ptr %at, align 1
  %next = add i64 %i, 8
  %more = icmp slt i64 %next, %count
  br i1 %more, label %loop, label %done
done:
  %end = getelementptr i8, ptr %dst, i64 %count
  ret ptr %end
none:
  ret ptr %dst
}

define internal fastcc ptr @copy(ptr %dst, ptr %src, i64 %count) #0 {
entry:
  %any = icmp sgt i64 %count, 0
  br i1 %any, label %loop, label %none
loop:
  %i = phi i64 [ 0, %entry ], [ %next, %loop ]
  %from = getelementptr i8, ptr %src, i64 %i
  %to = getelementptr i8, ptr %dst, i64 %i
  %eight = load i64, ptr %from, align 1
  store i64 %eight, ptr %to, align 1
  %next = add i64 %i, 8
  %more = icmp slt i64 %next, %count
  br i1 %more, label %loop, label %done
done:
  %end = getelementptr i8, ptr %dst, i64 %count
  ret ptr %end
none:
  ret ptr %dst
}

define internal fastcc ptr @put_padded(ptr %dst, ptr %src, i64 %count, i64 %width, i64 %mode) #0 {
entry:
  %room = sub i64 %width, %count
  %is_left = icmp eq i64 %mode, 1
  %before = select i1 %is_left, i64 0, i64 %room
  %after = select i1 %is_left, i64 %room, i64 0
  %start = call fastcc ptr @fill(ptr %dst, i64 2314885530818453536, i64 %before)
  %end = call fastcc ptr @copy(ptr %start, ptr %src, i64 %count)
  %last = call fastcc ptr @fill(ptr %end, i64 2314885530818453536, i64 %after)
  ret ptr %last
}

define internal fastcc ptr @put_digits(ptr %dst, ptr %digits, i64 %count, i64 %sign, i64 %width, i64 %mode) #0 {
entry:
  %has_sign = icmp ne i64 %sign, 0
  %sign_bytes = zext i1 %has_sign to i64
  %size = add i64 %count, %sign_bytes
  %room = sub i64 %width, %size
  %is_right = icmp eq i64 %mode, 0
  %is_left = icmp eq i64 %mode, 1
  %is_zero = icmp eq i64 %mode, 2
  %before = select i1 %is_right, i64 %room, i64 0
  %zeros = select i1 %is_zero, i64 %room, i64 0
  %after = select i1 %is_left, i64 %room, i64 0
  %at_sign = call fastcc ptr @fill(ptr %dst, i64 2314885530818453536, i64 %before)
  %sign_byte = trunc i64 %sign to i8
  store i8 %sign_byte, ptr %at_sign, align 1
  %at_zeros = getelementptr i8, ptr %at_sign, i64 %sign_bytes
  %at_digits = call fastcc ptr @fill(ptr %at_zeros, i64 3472328296227680304, i64 %zeros)
  %a = load i64, ptr %digits, align 1
  store i64 %a, ptr %at_digits, align 1
  %digits8 = getelementptr i8, ptr %digits, i64 8
  %to8 = getelementptr i8, ptr %at_digits, i64 8
  %b = load i64, ptr %digits8, align 1
  store i64 %b, ptr %to8, align 1
  %digits16 = getelementptr i8, ptr %digits, i64 16
  %to16 = getelementptr i8, ptr %at_digits, i64 16
  %c = load i64, ptr %digits16, align 1
  store i64 %c, ptr %to16, align 1
  %end = getelementptr i8, ptr %at_digits, i64 %count
  %last = call fastcc ptr @fill(ptr %end, i64 2314885530818453536, i64 %after)
  ret ptr %last
}

define internal fastcc ptr @put_decimal(ptr %dst, i64 %value, i64 %sign, i64 %width, i64 %mode) #0 {
entry:
  %room = alloca [64 x i8], align 8
  br label %loop
loop:
  %rest = phi i64 [ %value, %entry ], [ %quotient, %loop ]
  %i = phi i64 [ 32, %entry ], [ %before, %loop ]
  %quotient = udiv i64 %rest, 10
  %tens = mul i64 %quotient, 10
  %digit = sub i64 %rest, %tens
  %char = add i64 %digit, 48
  %byte = trunc i64 %char to i8
  %before = sub i64 %i, 1
  %at = getelementptr i8, ptr %room, i64 %before
  store i8 %byte, ptr %at, align 1
  %more = icmp ne i64 %quotient, 0
  br i1 %more, label %loop, label %done
done:
  %count = sub i64 32, %before
  %end = call fastcc ptr @put_digits(ptr %dst, ptr %at, i64 %count, i64 %sign, i64 %width, i64 %mode)
  ret ptr %end
}

define internal fastcc ptr @put_signed(ptr %dst, i64 %value, i64 %plus, i64 %width, i64 %mode) #0 {
entry:
  %is_negative = icmp slt i64 %value, 0
  %opposite = sub i64 0, %value
  %size = select i1 %is_negative, i64 %opposite, i64 %value
  %sign = select i1 %is_negative, i64 45, i64 %plus
  %end = call fastcc ptr @put_decimal(ptr %dst, i64 %size, i64 %sign, i64 %width, i64 %mode)
  ret ptr %end
}

define internal fastcc ptr @put_radix(ptr %dst, i64 %value, i64 %bits, i64 %letters, i64 %width, i64 %mode) #0 {
entry:
  %room = alloca [64 x i8], align 8
  %one = shl i64 1, %bits
  %mask = sub i64 %one, 1
  br label %loop
loop:
  %rest = phi i64 [ %value, %entry ], [ %quotient, %loop ]
  %i = phi i64 [ 32, %entry ], [ %before, %loop ]
  %quotient = lshr i64 %rest, %bits
  %digit = and i64 %rest, %mask
  %is_letter = icmp ugt i64 %digit, 9
  %step = select i1 %is_letter, i64 %letters, i64 48
  %char = add i64 %digit, %step
  %byte = trunc i64 %char to i8
  %before = sub i64 %i, 1
  %at = getelementptr i8, ptr %room, i64 %before
  store i8 %byte, ptr %at, align 1
  %more = icmp ne i64 %quotient, 0
  br i1 %more, label %loop, label %done
done:
  %count = sub i64 32, %before
  %end = call fastcc ptr @put_digits(ptr %dst, ptr %at, i64 %count, i64 0, i64 %width, i64 %mode)
  ret ptr %end
}

define internal fastcc i64 @is_hostile(i8 %byte) #0 {
entry:
  %shifted = sub i8 %byte, 32
  %is_odd = icmp ugt i8 %shifted, 94
  %is_tab = icmp eq i8 %byte, 9
  %is_newline = icmp eq i8 %byte, 10
  %is_space = or i1 %is_tab, %is_newline
  %is_bad = select i1 %is_space, i1 false, i1 %is_odd
  %result = zext i1 %is_bad to i64
  ret i64 %result
}

define internal fastcc ptr @put_string(ptr %dst, ptr %src, i64 %limit, i64 %width, i64 %mode, i64 %is_escaped) #0 {
entry:
  %any = icmp sgt i64 %limit, 0
  br i1 %any, label %loop, label %measured
loop:
  %i = phi i64 [ 0, %entry ], [ %next, %another ]
  %from = getelementptr i8, ptr %src, i64 %i
  %byte = load i8, ptr %from, align 1
  %is_end = icmp eq i8 %byte, 0
  br i1 %is_end, label %measured, label %character
character:
  %hostile = call fastcc i64 @is_hostile(i8 %byte)
  %refused = and i64 %hostile, %is_escaped
  %is_refused = icmp ne i64 %refused, 0
  br i1 %is_refused, label %refuse, label %another
another:
  %next = add i64 %i, 1
  %more = icmp slt i64 %next, %limit
  br i1 %more, label %loop, label %measured
refuse:
  ret ptr null
measured:
  %count = phi i64 [ 0, %entry ], [ %i, %loop ], [ %next, %another ]
  %room = sub i64 %width, %count
  %is_left = icmp eq i64 %mode, 1
  %before = select i1 %is_left, i64 0, i64 %room
  %after = select i1 %is_left, i64 %room, i64 0
  %start = call fastcc ptr @fill(ptr %dst, i64 2314885530818453536, i64 %before)
  %some = icmp sgt i64 %count, 0
  br i1 %some, label %bytes, label %copied
bytes:
  %j = phi i64 [ 0, %measured ], [ %following, %bytes ]
  %source = getelementptr i8, ptr %src, i64 %j
  %to = getelementptr i8, ptr %start, i64 %j
  %char = load i8, ptr %source, align 1
  store i8 %char, ptr %to, align 1
  %following = add i64 %j, 1
  %again = icmp slt i64 %following, %count
  br i1 %again, label %bytes, label %copied
copied:
  %end = getelementptr i8, ptr %start, i64 %count
  %last = call fastcc ptr @fill(ptr %end, i64 2314885530818453536, i64 %after)
  ret ptr %last
}

attributes #0 = { nounwind "no-jump-tables"="true" "no-builtins" }
"""
