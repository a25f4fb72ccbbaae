/* pathset.c - see pathset.h */
#include "common/pathset.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "common/mem.h"

static uint64_t rotate(uint64_t x, unsigned int by)
{
	return x << by | x >> (64 - by);
}

static void mix(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[0] = rotate(v[0], 32);
	v[2] += v[3];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[2] = rotate(v[2], 32);
}

static void absorb(uint64_t v[4], uint64_t word)
{
	v[3] ^= word;
	mix(v);
	v[0] ^= word;
}

/* SipHash-1-3 of the number and the name. */
static uint64_t hash(const struct pathset *set, uint64_t id, const char *name)
{
	size_t len = strlen(name);
	uint64_t word = 0, last = (uint64_t)len << 56;
	uint64_t v[4] = {
		set->key[0] ^ UINT64_C(0x736f6d6570736575),
		set->key[1] ^ UINT64_C(0x646f72616e646f6d),
		set->key[0] ^ UINT64_C(0x6c7967656e657261),
		set->key[1] ^ UINT64_C(0x7465646279746573),
	};

	absorb(v, id);
	for (; len >= 8; len -= 8, name += 8) {
		memcpy(&word, name, 8);
		absorb(v, word);
	}
	word = 0;
	memcpy(&word, name, len);
	absorb(v, word | last);
	v[2] ^= 0xff;
	mix(v);
	mix(v);
	mix(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static void rehash(struct pathset *set)
{
	if (set->head_count == 0 &&
	    getrandom(set->key, sizeof(set->key), 0) != sizeof(set->key))
		mem_die("getrandom");
	set->head_count = set->head_count ? set->head_count * 2 : 64;
	free(set->heads);
	set->heads = mem_resize(NULL, set->head_count, sizeof(*set->heads));
	memset(set->heads, 0xff, set->head_count * sizeof(*set->heads));
	for (size_t i = 0; i < set->count; i++) {
		struct pathset_item *item = &set->items[i];
		uint64_t h = hash(set, item->id, set->names + item->name);
		uint32_t *head = &set->heads[h & (set->head_count - 1)];

		item->next = *head;
		*head = (uint32_t)i;
	}
}

static uint64_t keep_name(struct pathset *set, const char *name)
{
	size_t len = strlen(name) + 1;
	uint64_t at = set->names_len;

	if (set->names_capacity - set->names_len < len) {
		set->names_capacity += set->names_capacity / 2 + len + 256;
		set->names = mem_resize(set->names, set->names_capacity, 1);
	}
	memcpy(set->names + at, name, len);
	set->names_len += len;
	return at;
}

uint32_t pathset_find(const struct pathset *set, uint64_t id, const char *name)
{
	uint32_t i;

	if (set->count == 0)
		return PATHSET_NONE;
	i = set->heads[hash(set, id, name) & (set->head_count - 1)];
	for (; i != PATHSET_NONE; i = set->items[i].next)
		if (set->items[i].id == id &&
		    strcmp(set->names + set->items[i].name, name) == 0)
			break;
	return i;
}

uint32_t pathset_add(struct pathset *set, uint64_t id, const char *name)
{
	uint32_t i = pathset_find(set, id, name), *head;

	if (i != PATHSET_NONE)
		return i;
	if (set->count >= PATHSET_NONE - 1)
		mem_die("too many names");
	if (set->count >= set->head_count)
		rehash(set);
	if (set->count == set->capacity) {
		set->capacity += set->capacity / 2 + 64;
		set->items = mem_resize(set->items, set->capacity,
					sizeof(*set->items));
	}
	i = (uint32_t)set->count++;
	head = &set->heads[hash(set, id, name) & (set->head_count - 1)];
	set->items[i] = (struct pathset_item){
		.id = id, .name = keep_name(set, name), .next = *head,
	};
	*head = i;
	return i;
}

const char *pathset_name(const struct pathset *set, uint32_t index)
{
	return set->names + set->items[index].name;
}

void pathset_clear(struct pathset *set)
{
	free(set->items);
	free(set->heads);
	free(set->names);
	*set = (struct pathset){ 0 };
}
