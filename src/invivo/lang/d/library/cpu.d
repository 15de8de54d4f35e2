/*
 * cpuinfo_t: what is told of a CPU, made from its number.
 *
 *	sched:::on-cpu { @[curcpu->cpu_id] = count(); }
 *
 * Not to be had: cpu_chip and cpu_lgrp, whose tables in the kernel have no address that programs can know, and cpu_info.
 */

typedef struct cpuinfo {
	processorid_t cpu_id;
	psetid_t cpu_pset;	/* always 0: Linux has no processor sets */
} cpuinfo_t;

translator cpuinfo_t < int CPU > {
	cpu_id = CPU;
	cpu_pset = 0;
};

/* the CPU on which the probe fired */
inline cpuinfo_t *curcpu = xlate <cpuinfo_t *> ((int)cpu);
/* always 0: Linux has no processor sets */
inline psetid_t pset = 0;
