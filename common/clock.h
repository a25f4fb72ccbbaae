/* clock.h - time that passes, for waits and speeds. */
#ifndef OCCY_COMMON_CLOCK_H
#define OCCY_COMMON_CLOCK_H

#include <stdint.h>

/* Milliseconds of a clock that only goes forward, from some beginning. */
int64_t clock_now_ms(void);

#endif
