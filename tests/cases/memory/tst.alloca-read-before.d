/* What is written above the assignment may read the pointer: no firing has made it then, or one after another has. */
#pragma D option quiet

this int *p;

BEGIN /this->p != NULL/ { printf("never: %d\n", *this->p); }
BEGIN { this->p = (int *)NULL; this->p = alloca(8); *this->p = 3; }
BEGIN /this->p != NULL/ { printf("%d\n", *this->p); exit(0); }
