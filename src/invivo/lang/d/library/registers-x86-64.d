/*
 * The registers of the running thread in user space, as they were when it entered the kernel, or where it is traced.
 *
 *	syscall::openat:entry { @[uregs[R_RSP] & ~0xfff] = count(); }
 *
 * In the order of struct pt_regs (arch/x86/include/asm/ptrace.h); of a thread of the kernel, they cannot be read.
 */

inline int R_R15 = 0;
inline int R_R14 = 1;
inline int R_R13 = 2;
inline int R_R12 = 3;
inline int R_RBP = 4;
inline int R_RBX = 5;
inline int R_R11 = 6;
inline int R_R10 = 7;
inline int R_R9 = 8;
inline int R_R8 = 9;
inline int R_RAX = 10;
inline int R_RCX = 11;
inline int R_RDX = 12;
inline int R_RSI = 13;
inline int R_RDI = 14;
inline int R_TRAPNO = 15;
inline int R_RIP = 16;
inline int R_CS = 17;
inline int R_RFL = 18;
inline int R_RSP = 19;
inline int R_SS = 20;
inline int R_ORIG_RAX = 15;
inline int R_PC = R_RIP;
inline int R_SP = R_RSP;
inline int R_FP = R_RBP;
inline int R_R0 = R_RAX;
inline int R_R1 = R_RBX;

/* the registers in user space, by R_RIP and the like */
inline uint64_t uregs[int number] =
    *(number >= 0 && number < 21 ? (uint64_t *)__uregs + number : (uint64_t *)0);
