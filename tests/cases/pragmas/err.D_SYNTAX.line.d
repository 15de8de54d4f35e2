/* line: 20 */
#pragma line 19 "elsewhere.d"
BEGIN { trace(1); }
BEGIN { trace(; }
