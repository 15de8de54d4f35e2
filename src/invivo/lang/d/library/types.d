/*
 * Names of types that D programs expect and Linux's headers, or its BTF, do not have.
 */

typedef unsigned long pc_t;
typedef unsigned long fc_t;
typedef unsigned int zoneid_t;
typedef int processorid_t;
typedef int psetid_t;
typedef int chipid_t;
typedef int lgrp_id_t;
typedef int taskid_t;
typedef int projid_t;
typedef int poolid_t;
typedef char *caddr_t;
typedef long long hrtime_t;

typedef struct timestruc {
	long tv_sec;
	long tv_nsec;
} timestruc_t;

/* Nanoseconds, as seconds and the rest. */
translator timestruc_t < uint64_t ns > {
	tv_sec = ns / 1000000000;
	tv_nsec = ns % 1000000000;
};
