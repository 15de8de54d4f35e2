#ifndef SPECOPEN_H
#define SPECOPEN_H

#ifndef __SUNW_D
#error this is for D
#endif

#define	SPECS	8
#define	FAILED	(errno != 0)

#endif /* SPECOPEN_H */
