inline int answer = 42;
inline string greeting = "hello";
