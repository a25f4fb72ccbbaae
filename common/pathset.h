/* pathset.h - a set of names, each below a number that stands for a directory.
 *
 * Small, because a layer may have millions: about 24 bytes and the name each.
 * The hash is keyed at random, so that no archive can choose names that fall
 * into one chain.
 */
#ifndef OCCY_COMMON_PATHSET_H
#define OCCY_COMMON_PATHSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PATHSET_NONE UINT32_MAX

struct pathset_item {
	uint64_t id;
	uint64_t name;  /* where the name begins in `names` */
	uint32_t next;  /* in the chain */
	uint32_t value; /* the caller's */
};

struct pathset {
	struct pathset_item *items;
	size_t count, capacity;
	uint32_t *heads; /* of chains; a power of two of them */
	size_t head_count;
	char *names;     /* one after another, each with its NUL */
	size_t names_len, names_capacity;
	uint64_t key[2];
};

/* { 0 } is an empty set. Returns the item's index: that of what is there
 * already, else of a new one whose value is 0. */
uint32_t pathset_add(struct pathset *set, uint64_t id, const char *name);

/* Returns the item's index or PATHSET_NONE. */
uint32_t pathset_find(const struct pathset *set, uint64_t id,
		      const char *name);

const char *pathset_name(const struct pathset *set, uint32_t index);
void pathset_clear(struct pathset *set);

#endif
