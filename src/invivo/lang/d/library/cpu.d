/*
 * cpuinfo_t: what is told of a CPU, made from its number.
 *
 *	sched:::on-cpu { @[curcpu->cpu_id] = count(); }
 *
 * Not to be had: cpu_info.
 */

typedef struct cpuinfo {
	processorid_t cpu_id;
	psetid_t cpu_pset;	/* always 0: Linux has no processor sets */
	chipid_t cpu_chip;	/* the package that the CPU is part of */
	lgrp_id_t cpu_lgrp;	/* the memory node that the CPU is part of */
} cpuinfo_t;

translator cpuinfo_t < int CPU > {
	cpu_id = CPU;
	cpu_pset = 0;
	cpu_chip = __cpu_chip(CPU);
	cpu_lgrp = __cpu_lgrp(CPU);
};

/* the CPU on which the probe fired */
inline cpuinfo_t *curcpu = xlate <cpuinfo_t *> ((int)cpu);
/* always 0: Linux has no processor sets */
inline psetid_t pset = 0;
/* the package of the CPU on which the probe fired */
inline chipid_t chip = __cpu_chip(cpu);
/* the memory node of the CPU on which the probe fired */
inline lgrp_id_t lgrp = __cpu_lgrp(cpu);
