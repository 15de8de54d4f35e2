/* nspec is 1: the second one fails, is 0, and is counted. */
BEGIN { printf("%d %d\n", speculation(), speculation()); exit(0); }
