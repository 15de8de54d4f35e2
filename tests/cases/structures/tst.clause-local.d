/* A clause-local structure lives for one firing, and all its clauses see it. */
#pragma D option quiet

this struct { int n; string who; } st;

BEGIN { this->st.n = 41; this->st.who = "first"; }
BEGIN { this->st.n++; printf("%d %s\n", this->st.n, this->st.who); }
END { printf("%d [%s]\n", this->st.n, this->st.who); }
BEGIN { exit(0); }
