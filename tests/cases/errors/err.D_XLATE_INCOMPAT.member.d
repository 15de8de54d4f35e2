/* A member is made of what fits its type. */
/* line: 5 */
struct out { int number; };
translator struct out < int x > { number = "text"; };
BEGIN { trace((xlate <struct out> (1)).number); }
