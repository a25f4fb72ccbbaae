/* inflate.c - see inflate.h
 *
 * The ring: `filled`, `hashed` and `taken` count blocks and only rise, so that
 * filled - taken is what waits and block n lies at n % RING_BLOCKS. The
 * decoding thread owns the block at `filled`, the caller the one at `taken`,
 * and whoever has set `hashing` reads the one at `hashed`. The counters and
 * all that says how it ended are under the lock.
 */
#include "common/inflate.h"

#include <pthread.h>

#include "common/decoder.h"
#include "common/io.h"
#include "common/mem.h"
#include "common/msg.h"

#define RING_BLOCKS 8
#define BLOCK_SIZE IO_BLOCK_SIZE

struct block {
	unsigned char *data;
	size_t len;
};

struct inflate {
	struct decoder *decoder;
	struct digest_state *hash;
	struct digest diff_id;
	const char *name;
	int64_t total;
	bool lent; /* the block at `taken` is the caller's to look at */

	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t moved;
	struct block ring[RING_BLOCKS];
	uint64_t filled, hashed, taken;
	bool hashing; /* somebody is at the block at `hashed` */
	bool ended;   /* no more blocks come */
	bool stopped; /* nobody wants more */
	int failure;
	const char *why; /* of a failure that is not reported yet */
};

/* With the lock held, which is let go meanwhile: hash the next block, or wait
 * while the other side does. */
static void hash_one(struct inflate *inflate)
{
	const struct block *block = &inflate->ring[inflate->hashed % RING_BLOCKS];

	if (inflate->hashing) {
		pthread_cond_wait(&inflate->moved, &inflate->lock);
		return;
	}
	inflate->hashing = true;
	pthread_mutex_unlock(&inflate->lock);
	digest_update(inflate->hash, block->data, block->len);
	pthread_mutex_lock(&inflate->lock);
	inflate->hashing = false;
	inflate->hashed++;
	pthread_cond_signal(&inflate->moved);
}

/* Returns the block to fill, or NULL when nobody wants it. Rather than stand
 * about, the decoding thread hashes what its ring is full of. */
static struct block *wait_for_room(struct inflate *inflate)
{
	struct block *block;

	pthread_mutex_lock(&inflate->lock);
	while (inflate->filled - inflate->taken == RING_BLOCKS &&
	       !inflate->stopped) {
		if (inflate->hashed < inflate->filled)
			hash_one(inflate);
		else
			pthread_cond_wait(&inflate->moved, &inflate->lock);
	}
	block = inflate->stopped ? NULL
				 : &inflate->ring[inflate->filled % RING_BLOCKS];
	pthread_mutex_unlock(&inflate->lock);
	return block;
}

static void hand_over(struct inflate *inflate, const struct block *block,
		      int rc, const char *why)
{
	pthread_mutex_lock(&inflate->lock);
	if (rc < 0) {
		inflate->failure = rc;
		inflate->why = why;
	} else if (block->len > 0) {
		inflate->filled++;
	}
	inflate->ended = rc < 0 || block->len < BLOCK_SIZE;
	pthread_cond_signal(&inflate->moved);
	pthread_mutex_unlock(&inflate->lock);
}

static void *decode(void *data)
{
	struct inflate *inflate = data;
	struct block *block;
	bool more = true;

	while (more && (block = wait_for_room(inflate)) != NULL) {
		const char *why;
		int rc;

		if (!block->data)
			block->data = mem_resize(NULL, BLOCK_SIZE, 1);
		rc = decoder_read(inflate->decoder, block->data, BLOCK_SIZE,
				  &block->len, &why);
		more = rc == 0 && block->len == BLOCK_SIZE;
		hand_over(inflate, block, rc, why);
	}
	return NULL;
}

struct inflate *inflate_start(struct blob *blob, const struct digest *diff_id,
			      const char *name,
			      const struct gunzip_engine *engine)
{
	struct inflate *inflate = mem_zalloc(1, sizeof(*inflate));

	inflate->decoder = decoder_new(blob, engine);
	inflate->hash = digest_begin(digest_algorithm(diff_id));
	inflate->diff_id = *diff_id;
	inflate->name = name;
	pthread_mutex_init(&inflate->lock, NULL);
	pthread_cond_init(&inflate->moved, NULL);
	if (pthread_create(&inflate->thread, NULL, decode, inflate) != 0)
		mem_die("a thread");
	return inflate;
}

void inflate_free(struct inflate *inflate)
{
	if (!inflate)
		return;
	pthread_mutex_lock(&inflate->lock);
	inflate->stopped = true;
	pthread_cond_signal(&inflate->moved);
	pthread_mutex_unlock(&inflate->lock);
	pthread_join(inflate->thread, NULL);
	pthread_cond_destroy(&inflate->moved);
	pthread_mutex_destroy(&inflate->lock);
	for (size_t i = 0; i < RING_BLOCKS; i++)
		free(inflate->ring[i].data);
	digest_end(inflate->hash);
	decoder_free(inflate->decoder);
	free(inflate);
}

/* Gives the block before back. Returns the next one, or NULL at the end. */
static const struct block *take(struct inflate *inflate)
{
	const struct block *block = NULL;

	pthread_mutex_lock(&inflate->lock);
	if (inflate->lent) {
		inflate->taken++;
		pthread_cond_signal(&inflate->moved);
	}
	while (inflate->filled == inflate->taken && !inflate->ended)
		pthread_cond_wait(&inflate->moved, &inflate->lock);
	while (inflate->filled > inflate->taken &&
	       inflate->hashed == inflate->taken)
		hash_one(inflate);
	if (inflate->filled > inflate->taken)
		block = &inflate->ring[inflate->taken % RING_BLOCKS];
	pthread_mutex_unlock(&inflate->lock);
	inflate->lent = block != NULL;
	return block;
}

/* The decoding thread has ended; nobody else touches the rest now. */
static int check_end(struct inflate *inflate)
{
	struct digest got;

	if (inflate->why)
		return msg_fail(STATUS_INTEGRITY, "%s: %s", inflate->name,
				inflate->why);
	if (inflate->failure < 0)
		return inflate->failure;
	digest_result(inflate->hash, &got);
	if (!digest_equal(&got, &inflate->diff_id))
		return msg_fail(STATUS_INTEGRITY,
				"%s: diff_id mismatch, got %s", inflate->name,
				got.text);
	return 0;
}

int inflate_next(struct inflate *inflate, const void **data, size_t *len)
{
	const struct block *block = take(inflate);

	*data = NULL;
	*len = 0;
	if (!block)
		return check_end(inflate);
	inflate->total += (int64_t)block->len;
	*data = block->data;
	*len = block->len;
	return 1;
}

int64_t inflate_total(const struct inflate *inflate)
{
	return inflate->total;
}
