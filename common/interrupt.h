/* interrupt.h - INT, TERM and HUP while there is something to clean up.
 *
 * By default these signals end a tool at once, and that is right: what it
 * writes is nameless (O_TMPFILE), a pipe, or meant to stay for the next run.
 * Only while something with a name must not survive are they held back; then
 * every loop asks interrupt_pending(), every wait polls interrupt_fd() too,
 * and the tool returns what they say through its ordinary error path.
 * A signal that is ignored (nohup) stays ignored.
 */
#ifndef OCCY_COMMON_INTERRUPT_H
#define OCCY_COMMON_INTERRUPT_H

/* Hold the signals back from here on, in this thread and those it starts. */
void interrupt_hold(void);

/* Let them act again; one that came meanwhile acts now. */
void interrupt_release(void);

/* Returns 0, or the failure -(STATUS_SIGNAL + number) for one that waits. */
int interrupt_pending(void);

/* A new descriptor that becomes readable when a held signal waits; the caller
 * closes it. -1 without one. */
int interrupt_fd(void);

#endif
