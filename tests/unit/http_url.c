/* http_url.c - origins, places, and what is left of a URL in a message */
#include "common/http.h"

#include "check.h"
#include "common/cleanup.h"

static const struct {
	const char *url, *origin;
} origins[] = {
	{ "https://h/a?b#c", "https://h:443" },
	{ "https://h:443/", "https://h:443" },
	{ "https://H.Example:443", "https://h.example:443" },
	{ "https://h:444/", "https://h:444" },
	{ "http://h/", "http://h:80" },
	{ "http://h:443/", "http://h:443" },
	{ "https://me:secret@h/", "https://h:443" },
	{ "https://[::1]:5000/", "https://[::1]:5000" },
	{ "https://[::1]/", "https://[::1]:443" },
	{ "https://[2001:DB8::1]/", "https://[2001:db8::1]:443" },
	{ "https://[::bad/", NULL },
	{ "https://", NULL },
	{ "", NULL },
};

static const struct {
	const char *url, *place;
} places[] = {
	{ "socks5h://h:1080", "socks5h://h:1080" },
	{ "http://me:secret@h:3128/", "http://h:3128" },
	{ "http://[::1]:3128", "http://[::1]:3128" },
	{ "https://h", "https://h" },
	{ "http://h/path", NULL },
	{ "http://h/?query", NULL },
	{ "http://h#fragment", NULL },
	{ "http://h:0x50", NULL },
	{ "http://h h", NULL },
	{ "h:80", NULL },
};

static const struct {
	const char *url, *public;
} publics[] = {
	{ "https://me:secret@h/a/b?token=secret#secret", "https://h/a/b" },
	{ "https://[::1]:5000/a?b", "https://[::1]:5000/a" },
	{ "none", NULL },
};

static const struct {
	const char *base, *relative, *url;
} resolved[] = {
	{ "https://h/a/b", "c", "https://h/a/c" },
	{ "https://[::1]:5000/a", "/b?c#d", "https://[::1]:5000/b?c" },
	{ "https://h/a", "//other:1/b", "https://other:1/b" },
	{ "https://h/a", "http://other/", "http://other/" },
};

int main(void)
{
	for (size_t i = 0; i < sizeof(origins) / sizeof(*origins); i++) {
		AUTO(mem) char *got = http_url_origin(origins[i].url);

		check_row(origins[i].url);
		CHECK_TEXT(got, origins[i].origin);
	}
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		AUTO(mem) char *got = http_url_place(places[i].url);

		check_row(places[i].url);
		CHECK_TEXT(got, places[i].place);
	}
	for (size_t i = 0; i < sizeof(publics) / sizeof(*publics); i++) {
		AUTO(mem) char *got = http_url_public(publics[i].url);

		check_row(publics[i].url);
		CHECK_TEXT(got, publics[i].public);
	}
	for (size_t i = 0; i < sizeof(resolved) / sizeof(*resolved); i++) {
		AUTO(mem) char *got = http_url_resolve(resolved[i].base,
						       resolved[i].relative);

		check_row(resolved[i].relative);
		CHECK_TEXT(got, resolved[i].url);
	}
	return check_result();
}
