/* nspec is 1: the second one fails, is 0, and is counted. */
#pragma D option quiet
BEGIN { printf("%d %d\n", speculation(), speculation()); exit(0); }
