#pragma D option quiet
#pragma D option nspec=2
BEGIN { this->a = speculation(); this->b = speculation(); }
BEGIN { speculate(this->a); printf("a1 "); }
BEGIN { speculate(this->b); printf("b1 "); }
BEGIN { speculate(this->a); printf("a2 "); }
BEGIN { commit(this->b); }
BEGIN { commit(this->a); }
BEGIN { printf("%d\n", speculation()); exit(0); }
