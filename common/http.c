/* http.c - see http.h */
#include "common/http_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/msg.h"
#include "common/proxy.h"

#define STALL_BYTES_PER_SECOND 1024L

struct http *http_new(const struct http_settings *settings)
{
	struct http *http = mem_zalloc(1, sizeof(*http));

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		mem_die("curl_global_init");
	http->multi = curl_multi_init();
	http->share = curl_share_init();
	if (!http->multi || !http->share)
		mem_die("libcurl");
	curl_share_setopt(http->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
	http->user_agent = mem_strdup(settings->user_agent);
	http->connect_seconds = (long)settings->connect_seconds;
	http->stall_seconds = (long)settings->stall_seconds;
	http->proxies = settings->proxies;
	http->ca_directory = http_trust_directory();
	return http;
}

static void call_free(struct http_call *call)
{
	if (call->next)
		call->next->previous = call->previous;
	if (call->previous)
		call->previous->next = call->next;
	else
		call->http->calls = call->next;
	curl_multi_remove_handle(call->http->multi, call->easy);
	curl_easy_cleanup(call->easy);
	curl_slist_free_all(call->headers);
	if (call->form)
		explicit_bzero(call->form, strlen(call->form));
	free(call->form);
	free(call);
}

void http_cancel(struct http_call *call)
{
	if (call)
		call_free(call);
}

void http_free(struct http *http)
{
	if (!http)
		return;
	for (struct http_call *call = http->calls, *next; call; call = next) {
		next = call->next;
		call_free(call);
	}
	curl_multi_cleanup(http->multi);
	curl_share_cleanup(http->share);
	curl_global_cleanup();
	free(http->user_agent);
	free(http->ca_directory);
	free(http);
}

static size_t on_write(char *data, size_t size, size_t count, void *context)
{
	struct http_call *call = context;
	size_t len = size * count;

	if (!call->has_headers) {
		call->has_headers = true;
		if (call->handler->on_headers(call->context, call) < 0)
			call->aborted = true;
	}
	if (!call->aborted &&
	    call->handler->on_body(call->context, data, len) < 0)
		call->aborted = true;
	return call->aborted ? CURL_WRITEFUNC_ERROR : len;
}

static void set_options(struct http_call *call)
{
	const struct http *http = call->http;
	CURL *easy = call->easy;

	curl_easy_setopt(easy, CURLOPT_SHARE, http->share);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, http->user_agent);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
	curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(easy, CURLOPT_HTTP_CONTENT_DECODING, 0L);
	curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, 131072L);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, http->connect_seconds);
	curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, STALL_BYTES_PER_SECOND);
	curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, http->stall_seconds);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, call->error);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_write);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, call);
	curl_easy_setopt(easy, CURLOPT_PRIVATE, call);
}

/* The choice is made: libcurl looks into no variable. */
static CURLcode set_proxy(struct http_call *call, const char *url)
{
	const struct proxies *proxies = call->http->proxies;

	call->proxy = proxies ? proxies_for(proxies, url) : NULL;
	if (call->proxy && !call->proxy->url)
		return CURLE_COULDNT_RESOLVE_PROXY;
	curl_easy_setopt(call->easy, CURLOPT_NOPROXY, "");
	curl_easy_setopt(call->easy, CURLOPT_PROXY,
			 call->proxy ? call->proxy->url : "");
	curl_easy_setopt(call->easy, CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE);
	curl_easy_setopt(call->easy, CURLOPT_PROXY_SSLVERSION,
			 (long)CURL_SSLVERSION_TLSv1_2);
	return CURLE_OK;
}

static void add_line(struct http_call *call, const char *line)
{
	struct curl_slist *more = curl_slist_append(call->headers, line);

	if (!more)
		mem_die("curl_slist_append");
	call->headers = more;
}

static void add_header(struct http_call *call, const char *name,
		       const char *value)
{
	AUTO(mem) char *line = value ? mem_printf("%s: %s", name, value) : NULL;

	if (line)
		add_line(call, line);
}

/* Not RESUME_FROM_LARGE: that one takes a 200, or a range that starts
 * elsewhere, for an error or for success, and drops the body. */
static void set_range(struct http_call *call, int64_t from, int64_t to)
{
	char range[64];

	if (to > 0)
		snprintf(range, sizeof(range), "%lld-%lld", (long long)from,
			 (long long)to - 1);
	else
		snprintf(range, sizeof(range), "%lld-", (long long)from);
	curl_easy_setopt(call->easy, CURLOPT_RANGE, range);
}

/* libcurl decodes only what it may have asked for. */
static void set_decoding(struct http_call *call)
{
	curl_easy_setopt(call->easy, CURLOPT_ACCEPT_ENCODING, "");
	curl_easy_setopt(call->easy, CURLOPT_HTTP_CONTENT_DECODING, 1L);
	add_line(call, "Accept-Encoding:");
}

/* No "Expect": it would have us wait for an interim answer. */
static void set_form(struct http_call *call, const char *form)
{
	call->form = mem_strdup(form);
	curl_easy_setopt(call->easy, CURLOPT_POSTFIELDS, call->form);
	add_header(call, "Content-Type", "application/x-www-form-urlencoded");
	add_header(call, "Expect", "");
}

struct http_call *http_start(struct http *http, const struct http_request *request,
			     const struct http_handler *handler, void *context)
{
	struct http_call *call = mem_zalloc(1, sizeof(*call));

	call->http = http;
	call->handler = handler;
	call->context = context;
	call->easy = curl_easy_init();
	if (!call->easy)
		mem_die("curl_easy_init");
	call->next = http->calls;
	if (call->next)
		call->next->previous = call;
	http->calls = call;
	set_options(call);
	call->start_error = set_proxy(call, request->url);
	if (call->start_error == CURLE_OK)
		call->start_error = http_trust_set(call->easy, request->trust,
						    http->ca_directory);
	if (request->decode)
		set_decoding(call);
	if (request->is_head)
		curl_easy_setopt(call->easy, CURLOPT_NOBODY, 1L);
	if (request->range_from > 0 || request->range_to > 0)
		set_range(call, request->range_from, request->range_to);
	add_header(call, "Accept", request->accept);
	add_header(call, "Authorization", request->authorization);
	if (request->form)
		set_form(call, request->form);
	curl_easy_setopt(call->easy, CURLOPT_HTTPHEADER, call->headers);
	if (call->start_error == CURLE_OK)
		call->start_error = curl_easy_setopt(call->easy, CURLOPT_URL,
						     request->url);
	if (call->start_error == CURLE_OK &&
	    curl_multi_add_handle(http->multi, call->easy) != CURLM_OK)
		mem_die("curl_multi_add_handle");
	return call;
}

static void finish(struct http_call *call, CURLcode code)
{
	struct http_result result = { 0 };

	/* An answer without a body has shown its headers to nobody yet. */
	if (code == CURLE_OK && !call->has_headers) {
		call->has_headers = true;
		if (call->handler->on_headers(call->context, call) < 0)
			call->aborted = true;
	}
	http_judge(call, code, &result);
	call->handler->on_done(call->context, call, &result);
	call_free(call);
}

static struct http_call *first_unstarted(const struct http *http)
{
	struct http_call *call = http->calls;

	/* The analyzer does not see that a call that is freed leaves the list.
	 * NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
	while (call && call->start_error == CURLE_OK)
		call = call->next;
	return call;
}

void http_step(struct http *http, const struct pollfd *fds, size_t count,
	       int timeout_ms)
{
	struct curl_waitfd wait[4];
	struct http_call *unstarted;
	int running = 0, left, ready = 0;
	CURLMsg *message;

	for (size_t i = 0; i < count && i < 4; i++)
		wait[i] = (struct curl_waitfd){
			.fd = fds[i].fd,
			.events = (short)((fds[i].events & POLLIN ? CURL_WAIT_POLLIN : 0) |
					  (fds[i].events & POLLOUT ? CURL_WAIT_POLLOUT : 0)),
		};
	while ((unstarted = first_unstarted(http)))
		finish(unstarted, unstarted->start_error);
	curl_multi_perform(http->multi, &running);
	message = curl_multi_info_read(http->multi, &left);
	if (!message) {
		curl_multi_poll(http->multi, wait, (unsigned int)count,
				timeout_ms, &ready);
		curl_multi_perform(http->multi, &running);
		message = curl_multi_info_read(http->multi, &left);
	}
	for (; message; message = curl_multi_info_read(http->multi, &left)) {
		struct http_call *call = NULL;
		CURLcode code = message->data.result;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE,
				  (char **)&call);
		finish(call, code);
	}
}

long http_status(const struct http_call *call)
{
	long status = 0;

	curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
	return status;
}

const char *http_header(const struct http_call *call, const char *name,
			size_t index)
{
	struct curl_header *header;

	if (curl_easy_header(call->easy, name, index, CURLH_HEADER, -1,
			     &header) != CURLHE_OK)
		return NULL;
	return header->value;
}

int64_t http_content_length(const struct http_call *call)
{
	curl_off_t length = -1;

	curl_easy_getinfo(call->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
	return length;
}

int64_t http_retry_after(const struct http_call *call)
{
	const char *value = http_header(call, "Retry-After", 0);
	curl_off_t seconds = 0;
	int64_t number = 0;

	if (!value)
		return -1;
	/* libcurl says 0 for a number too large: count ourselves. */
	if (*value >= '0' && *value <= '9' &&
	    value[strspn(value, "0123456789")] == '\0') {
		for (; *value && number < INT32_MAX; value++)
			number = number * 10 + (*value - '0');
		return number < INT32_MAX ? number : -1;
	}
	curl_easy_getinfo(call->easy, CURLINFO_RETRY_AFTER, &seconds);
	return seconds > 0 ? seconds : -1;
}
