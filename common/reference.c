/* reference.c - see reference.h
 *
 * The grammar is distribution's: what passes here is safe in a URL and holds
 * no "..", no empty component and nothing that needs escaping. A reason never
 * repeats text that may hold a password.
 */
#include "common/reference.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "common/mem.h"
#include "common/msg.h"

#define NAME_MAX_BYTES 255
#define TAG_MAX_BYTES 128
#define TEXT_MAX_BYTES 1024
#define IDENTIFIER_DIGITS 64

struct parser {
	struct reference *out;
	char *why;
	size_t size;
};

/* Returns -1. text may be NULL, where it must not be repeated. */
static int refuse(struct parser *p, const char *what, const char *text)
{
	if (text && text[0] != '\0')
		msg_format(p->why, p->size, "%s: %s", what, text);
	else
		msg_format(p->why, p->size, "%s", what);
	return -1;
}

static bool is_lower(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_alnum(char c)
{
	return is_lower(c) || (c >= 'A' && c <= 'Z');
}

static char *lower(const char *text)
{
	char *copy = mem_strdup(text);

	for (char *p = copy; *p; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
	return copy;
}

/* Labels of letters, digits and inner hyphens; the length of all of them. */
static size_t host_name_length(const char *text)
{
	const char *p = text;

	for (;;) {
		if (!is_alnum(*p))
			return 0;
		while (is_alnum(*p) || *p == '-')
			p++;
		if (p[-1] == '-')
			return 0;
		if (*p != '.')
			return (size_t)(p - text);
		p++;
	}
}

/* "[::1]": without a zone, which names an interface of this machine only. */
static size_t ipv6_length(const char *text)
{
	const char *end = strchr(text, ']');
	char address[INET6_ADDRSTRLEN];
	struct in6_addr ignored;
	size_t len;

	if (!end || end - text > INET6_ADDRSTRLEN)
		return 0;
	len = (size_t)(end - text) - 1;
	memcpy(address, text + 1, len);
	address[len] = '\0';
	return inet_pton(AF_INET6, address, &ignored) == 1 ? len + 2 : 0;
}

static bool is_port(const char *text)
{
	unsigned int port = 0;

	if (*text == '0')
		return false;
	for (size_t i = 0; text[i]; i++) {
		if (text[i] < '0' || text[i] > '9' || i == 5)
			return false;
		port = port * 10 + (unsigned int)(text[i] - '0');
	}
	return port >= 1 && port <= 65535;
}

static bool is_docker_hub(const char *host)
{
	return strcasecmp(host, "docker.io") == 0 ||
	       strcasecmp(host, "index.docker.io") == 0 ||
	       strcasecmp(host, "registry-1.docker.io") == 0;
}

static int set_host(struct parser *p, const char *text)
{
	size_t len;

	if (strchr(text, '@'))
		return refuse(p, "a registry's name holds no user and no password",
			      NULL);
	len = text[0] == '[' ? ipv6_length(text) : host_name_length(text);
	if (text[0] != '[' && strchr(text, ':') != strrchr(text, ':'))
		return refuse(p, "an IPv6 address belongs in brackets", text);
	if (!len || (text[len] != '\0' && text[len] != ':'))
		return refuse(p, "bad registry name", text);
	if (text[len] == ':' && !is_port(text + len + 1))
		return refuse(p, "bad port in registry name", text);
	p->out->typed_host = mem_strdup(text);
	if (is_docker_hub(text)) {
		p->out->registry = mem_strdup("docker.io");
		p->out->host = mem_strdup("registry-1.docker.io");
	} else {
		p->out->registry = lower(text);
		p->out->host = mem_strdup(p->out->registry);
	}
	return 0;
}

/* [a-z0-9]+ joined by one of "." "_" "__" or any number of "-". Returns the
 * length, 0 when there is none. */
static size_t component_length(const char *text)
{
	const char *p = text;

	for (;;) {
		const char *separator;

		if (!is_lower(*p))
			return 0;
		while (is_lower(*p))
			p++;
		separator = p;
		if (*p == '.')
			p++;
		else if (*p == '_')
			p += p[1] == '_' ? 2 : 1;
		else
			while (*p == '-')
				p++;
		if (p == separator)
			return (size_t)(p - text);
	}
}

static bool is_path(const char *text)
{
	for (;;) {
		size_t len = component_length(text);

		if (!len)
			return false;
		text += len;
		if (*text == '\0')
			return true;
		if (*text++ != '/')
			return false;
	}
}

static bool has_upper(const char *text)
{
	for (; *text; text++)
		if (*text >= 'A' && *text <= 'Z')
			return true;
	return false;
}

/* docker takes such a name for an image's id; a tag of that name could never
 * be asked for there. */
static bool is_identifier(const char *text)
{
	return strlen(text) == IDENTIFIER_DIGITS &&
	       strspn(text, "0123456789abcdef") == IDENTIFIER_DIGITS;
}

static int set_path(struct parser *p, const char *text)
{
	bool is_hub = strcmp(p->out->registry, "docker.io") == 0;
	bool is_short = is_hub && !strchr(text, '/');

	if (text[0] == '\0')
		return refuse(p, "the repository name is missing", NULL);
	if (has_upper(text))
		return refuse(p, "repository name must be lower case", text);
	if (!is_path(text))
		return refuse(p, "bad repository name", text);
	if (is_short && is_identifier(text))
		return refuse(p, "64 hexadecimal digits are an image's id, not a name",
			      text);
	p->out->repository = mem_printf("%s%s", is_short ? "library/" : "", text);
	if (strlen(p->out->registry) + 1 + strlen(p->out->repository) >
	    NAME_MAX_BYTES)
		return refuse(p, "registry and repository name are longer than 255",
			      text);
	return 0;
}

static bool has_tag_characters(const char *text)
{
	if (!is_alnum(text[0]) && text[0] != '_')
		return false;
	for (const char *c = text; *c; c++)
		if (!is_alnum(*c) && !strchr("._-", *c))
			return false;
	return true;
}

bool reference_is_tag(const char *text)
{
	return has_tag_characters(text) && strlen(text) <= TAG_MAX_BYTES;
}

static int set_tag(struct parser *p, const char *text)
{
	if (text[0] == '\0')
		return refuse(p, "the tag is empty", NULL);
	if (!has_tag_characters(text))
		return refuse(p, "bad tag", text);
	if (strlen(text) > TAG_MAX_BYTES)
		return refuse(p, "the tag is longer than 128", text);
	p->out->tag = mem_strdup(text);
	return 0;
}

static int set_digest(struct parser *p, const char *text)
{
	if (digest_parse(&p->out->digest, text) == 0)
		return 0;
	return refuse(p, "bad digest (sha256: and 64 lower-case digits are wanted)",
		      text);
}

/* "tag", "tag@digest" or "digest". text is cut up. */
static int set_version(struct parser *p, char *text)
{
	char *at = strchr(text, '@');

	if (at) {
		*at = '\0';
		return set_tag(p, text) < 0 ? -1 : set_digest(p, at + 1);
	}
	return strchr(text, ':') ? set_digest(p, text) : set_tag(p, text);
}

/* "path", "path:tag", "path@digest", "path:tag@digest". text is cut up. */
static int set_rest(struct parser *p, char *text)
{
	char *at = strchr(text, '@'), *colon;

	if (at)
		*at = '\0';
	colon = strchr(text, ':');
	if (colon)
		*colon = '\0';
	if (set_path(p, text) < 0 || (colon && set_tag(p, colon + 1) < 0))
		return -1;
	if (at)
		return set_digest(p, at + 1);
	return colon ? 0 : set_tag(p, "latest");
}

/* The rule that docker made common: what stands before the first slash is a
 * host only if it cannot be part of a path. */
static bool is_host(const char *component)
{
	return strpbrk(component, ".:") || has_upper(component) ||
	       strcmp(component, "localhost") == 0;
}

static const char *without_scheme(const char *text)
{
	static const char *const schemes[] = { "docker://", "oci://",
					       "https://" };

	for (size_t i = 0; i < sizeof(schemes) / sizeof(*schemes); i++)
		if (strncmp(text, schemes[i], strlen(schemes[i])) == 0)
			return text + strlen(schemes[i]);
	return text;
}

/* An @ that cannot begin a digest has a password before it. */
static bool has_user(const char *text, bool is_url)
{
	const char *at = strchr(text, '@');

	return at && (strpbrk(at + 1, "@/") || (is_url && !strchr(at, ':')));
}

static int parse_text(struct parser *p, char *text, bool is_url)
{
	char *slash = strchr(text, '/');

	if (has_user(text, is_url))
		return refuse(p, "an image's name holds no user and no password",
			      NULL);
	if (strncmp(text, "http://", 7) == 0)
		return refuse(p, "plain http is asked for with --insecure, not with http://",
			      NULL);
	if (slash)
		*slash = '\0';
	if (slash && is_host(text))
		return set_host(p, text) < 0 ? -1 : set_rest(p, slash + 1);
	if (slash)
		*slash = '/';
	return set_host(p, "docker.io") < 0 ? -1 : set_rest(p, text);
}

int reference_parse(struct reference *out, const char *text, char *why,
		    size_t size)
{
	struct parser p = { .out = out, .why = why, .size = size };
	const char *name = without_scheme(text);
	AUTO(mem) char *copy = NULL;

	*out = (struct reference){ 0 };
	if (name[0] == '\0')
		return refuse(&p, "the image's name is empty", NULL);
	if (strlen(name) > TEXT_MAX_BYTES)
		return refuse(&p, "the image's name is too long", NULL);
	copy = mem_strdup(name);
	if (parse_text(&p, copy, name != text) == 0)
		return 0;
	reference_clear(out);
	return -1;
}

static int check_parts(struct parser *p, const char *registry,
		       const char *image)
{
	if (registry[0] == '\0')
		return refuse(p, "REGISTRY is empty", NULL);
	if (strchr(registry, '@'))
		return 0; /* set_host() says so, without repeating it */
	if (strstr(registry, "://"))
		return refuse(p, "REGISTRY is a host name, without a scheme",
			      registry);
	if (strchr(registry, '/'))
		return refuse(p, "REGISTRY is a host name, without a path",
			      registry);
	if (strchr(image, '@'))
		return refuse(p, "put the digest in TAG, not in IMAGE", image);
	if (strchr(image, ':'))
		return refuse(p, "put the tag in TAG, not in IMAGE", image);
	return 0;
}

int reference_from_parts(struct reference *out, const char *registry,
			 const char *image, const char *tag, char *why,
			 size_t size)
{
	struct parser p = { .out = out, .why = why, .size = size };
	AUTO(mem) char *copy = mem_strdup(tag);

	*out = (struct reference){ 0 };
	if (check_parts(&p, registry, image) == 0 && set_host(&p, registry) == 0 &&
	    set_path(&p, image) == 0 && set_version(&p, copy) == 0)
		return 0;
	reference_clear(out);
	return -1;
}

void reference_clear(struct reference *reference)
{
	free(reference->registry);
	free(reference->host);
	free(reference->typed_host);
	free(reference->repository);
	free(reference->tag);
	*reference = (struct reference){ 0 };
}

char *reference_text(const struct reference *reference)
{
	return mem_printf("%s/%s%s%s%s%s", reference->registry,
			  reference->repository, reference->tag ? ":" : "",
			  reference->tag ? reference->tag : "",
			  digest_is_set(&reference->digest) ? "@" : "",
			  reference->digest.text);
}

char *reference_tagged_name(const struct reference *reference)
{
	if (!reference->tag || digest_is_set(&reference->digest))
		return NULL;
	return mem_printf("%s/%s:%s", reference->registry,
			  reference->repository, reference->tag);
}
