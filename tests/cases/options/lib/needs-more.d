#pragma D depends_on provider nosuch

inline int answer = 43;
