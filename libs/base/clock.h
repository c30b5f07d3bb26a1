/* clock: the time, in the three forms this project uses. Rules never read it: they are passed a
 * time. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

int64_t clock_wall_ms(void); /* milliseconds since 1970-01-01T00:00:00Z */
int64_t clock_wall_us(void); /* microseconds since then */
int64_t clock_mono_ms(void); /* milliseconds of a clock that never goes back; for deadlines */
int64_t clock_mono_us(void);

#endif
