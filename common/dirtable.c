/* dirtable.c - see dirtable.h */
#include "common/dirtable.h"

#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

uint32_t dirtable_add(struct dirtable *table, uint64_t ino, uint32_t parent,
		      const char *name)
{
	uint32_t item = pathset_add(&table->by_ino, ino, "");
	uint32_t old = table->by_ino.items[item].value;
	uint32_t index = (uint32_t)table->count;

	if (old < table->count && table->records[old].ino == ino)
		table->records[old].flags |= DIR_GONE;
	table->by_ino.items[item].value = index;
	if (table->count == table->capacity) {
		table->capacity += table->capacity / 2 + 64;
		table->records = mem_resize(table->records, table->capacity,
					    sizeof(*table->records));
	}
	table->records[table->count++] = (struct dir_record){
		.ino = ino, .parent = parent, .name = table->names.len,
	};
	buf_append(&table->names, name, strlen(name) + 1);
	return index;
}

uint32_t dirtable_find(const struct dirtable *table, uint64_t ino)
{
	uint32_t item = pathset_find(&table->by_ino, ino, "");
	uint32_t index;

	if (item == PATHSET_NONE)
		return DIR_NONE;
	index = table->by_ino.items[item].value;
	return table->records[index].flags & DIR_GONE ? DIR_NONE : index;
}

const char *dirtable_name(const struct dirtable *table, uint32_t index)
{
	return table->names.data + table->records[index].name;
}

void dirtable_keep(struct dirtable *table, uint32_t index)
{
	while (!(table->records[index].flags & DIR_KEPT)) {
		table->records[index].flags |= DIR_KEPT;
		index = table->records[index].parent;
	}
}

void dirtable_path(const struct dirtable *table, uint32_t index,
		   struct buf *out)
{
	size_t len = 0, start = out->len;
	char *end;

	for (uint32_t i = index; i != DIR_ROOT; i = table->records[i].parent)
		len += strlen(dirtable_name(table, i)) + 1;
	end = buf_reserve(out, len) + len;
	for (uint32_t i = index; i != DIR_ROOT; i = table->records[i].parent) {
		const char *name = dirtable_name(table, i);

		*--end = '/';
		for (size_t k = strlen(name); k > 0; k--)
			*--end = name[k - 1];
	}
	out->len = start + len - (len > 0);
	out->data[out->len] = '\0';
}

void dirtable_clear(struct dirtable *table)
{
	pathset_clear(&table->by_ino);
	free(table->records);
	buf_clear(&table->names);
	*table = (struct dirtable){ 0 };
}
