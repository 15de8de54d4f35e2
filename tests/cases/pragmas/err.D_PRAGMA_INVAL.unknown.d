#pragma D nosuch thing /* line: 1 */
BEGIN { exit(0); }
