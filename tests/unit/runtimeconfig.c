/* runtimeconfig.c - what becomes of an image's config, and what is refused */
#include "common/runtimeconfig.h"

#include "check.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/msg.h"
#include "quoted.h"
#include "scratch.h"

#define COUNT(table) (sizeof(table) / sizeof(*(table)))

#define RUN "'Cmd':['/x'],"
#define CONFIG(members) "{'config':{" RUN members "}}"

/* Where in the document, and what is there, as JSON with ' for ". */
static const struct {
	const char *config, *where, *what;
} made[] = {
	{ CONFIG("'User':null"), "/process/user", "{'uid':0,'gid':0}" },
	{ CONFIG("'User':''"), "/process/user", "{'uid':0,'gid':0}" },
	{ CONFIG("'User':'5:6'"), "/process/user", "{'uid':5,'gid':6}" },
	{ CONFIG("'User':'app'"), "/process/user",
	  "{'uid':1000,'gid':1001,'additionalGids':[10,44]}" },

	{ "{'config':{'Cmd':['a','-b','']}}", "/process/args",
	  "['a','-b','']" },
	{ "{'config':{'Entrypoint':['e'],'Cmd':null}}", "/process/args",
	  "['e']" },
	{ "{'config':{'Entrypoint':['e','f'],'Cmd':['g']}}", "/process/args",
	  "['e','f','g']" },
	{ "{'config':{'Entrypoint':[],'Cmd':['g']}}", "/process/args",
	  "['g']" },

	{ CONFIG("'Env':null"), "/process/env",
	  "['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin']" },
	{ CONFIG("'Env':['PATH=/x','A=1','A=2','B=','C=a=b','D=\\n\\u001b']"),
	  "/process/env", "['PATH=/x','A=1','A=2','B=','C=a=b','D=\\n\\u001b']" },
	{ CONFIG("'Env':['PATH=','nothing','=name',''],'x':0"), "/process/env",
	  "['PATH=']" },

	{ CONFIG("'WorkingDir':''"), "/process/cwd", "'/'" },
	{ CONFIG("'WorkingDir':null"), "/process/cwd", "'/'" },
	{ CONFIG("'WorkingDir':'a/b'"), "/process/cwd", "'/a/b'" },
	{ CONFIG("'WorkingDir':'../..'"), "/process/cwd", "'/'" },
	{ CONFIG("'WorkingDir':'/a//b/./../c/'"), "/process/cwd", "'/a/c'" },
	{ CONFIG("'WorkingDir':'/proc/self'"), "/process/cwd", "'/proc/self'" },

	{ CONFIG("'x':1"), "/process/terminal", "false" },
	{ CONFIG("'x':1"), "/process/noNewPrivileges", "true" },
	{ CONFIG("'x':1"), "/root", "{'path':'rootfs','readonly':false}" },
	{ CONFIG("'x':1"), "/hostname", "'occystrap'" },
	{ CONFIG("'x':1"), "/annotations", "{}" },
	{ CONFIG("'x':1"), "/process/capabilities/ambient", "[]" },
	{ CONFIG("'x':1"), "/process/capabilities/inheritable", "[]" },
	{ "{'os':'linux','architecture':'arm64','variant':'v8','author':'me',"
	  "'created':'2001-02-03T04:05:06Z','os.version':'1','os.features':"
	  "['f','g'],'config':{" RUN "'StopSignal':'SIGINT','ExposedPorts':"
	  "{'80/tcp':{},'443':{},'53/udp':null},'Labels':{'a':'b'}}}",
	  "/annotations",
	  "{'org.opencontainers.image.os':'linux',"
	  "'org.opencontainers.image.os.version':'1',"
	  "'org.opencontainers.image.architecture':'arm64',"
	  "'org.opencontainers.image.variant':'v8',"
	  "'org.opencontainers.image.author':'me',"
	  "'org.opencontainers.image.created':'2001-02-03T04:05:06Z',"
	  "'org.opencontainers.image.os.features':'f,g',"
	  "'org.opencontainers.image.stopSignal':'SIGINT',"
	  "'org.opencontainers.image.exposedPorts':'443,53/udp,80/tcp'}" },

	{ CONFIG("'Volumes':{'/v':{},'/file':{}}"), "/mounts/7",
	  "{'destination':'/v','type':'tmpfs','source':'tmpfs','options':"
	  "['rw','nosuid','nodev','noexec','relatime']}" },
	{ CONFIG("'Volumes':{'/':{},'/proc':{},'/proc/x':{},'/sys/y':{},"
		 "'/dev':{},'/dev/shm':{},'v':{},'/v/':{},'/a/../v':{},'':{},"
		 "'/hidden/x':{},'/file':{},'/loop':{},'/processes':{}}"),
	  "/mounts/7/destination", "'/processes'" },
	{ CONFIG("'Volumes':{'/b/c':{},'/b':{},'/b-':{}}"),
	  "/mounts/9/destination", "'/b/c'" },
};

static const struct {
	const char *config;
	bool lax; /* refused with --strict only */
} refused[] = {
	{ "{}", false },
	{ "{'config':null}", false },
	{ "{'config':{'Entrypoint':[],'Cmd':null}}", false },
	{ "{'config':[]}", false },
	{ "{'config':{'Cmd':'sh'}}", false },
	{ "{'config':{'Cmd':['a',7]}}", false },
	{ "{'config':{'Cmd':['a',null]}}", false },
	{ "{'config':{'Cmd':['a\\u0000b']}}", false },
	{ CONFIG("'cmd':['b']"), false },
	{ CONFIG("'Env':7"), false },
	{ CONFIG("'Env':['A=\\u0000']"), false },
	{ CONFIG("'User':5"), false },
	{ CONFIG("'User':'nobody'"), false },
	{ CONFIG("'User':'0\\u0000'"), false },
	{ CONFIG("'WorkingDir':[]"), false },
	{ CONFIG("'WorkingDir':'/proc/self/fd/7'"), false },
	{ CONFIG("'WorkingDir':'/proc/1/cwd'"), false },
	{ CONFIG("'WorkingDir':'/x/../proc//self/./fd/7'"), false },
	{ CONFIG("'WorkingDir':'/dev/fd/7'"), false },
	{ CONFIG("'WorkingDir':'/hidden/self/fd/7'"), false },
	{ CONFIG("'WorkingDir':'/loop'"), false },
	{ CONFIG("'Labels':[]"), false },
	{ CONFIG("'Volumes':['/v']"), false },
	{ CONFIG("'ExposedPorts':'80'"), false },
	{ CONFIG("'StopSignal':15"), false },
	{ "{'author':{},'config':{" RUN "'x':0}}", false },
	{ "{'created':5,'config':{" RUN "'x':0}}", false },
	{ "{'os':'windows','config':{" RUN "'x':0}}", true },
	{ CONFIG("'Env':['nothing']"), true },
	{ CONFIG("'Volumes':{'/proc':{}}"), true },
	{ CONFIG("'Volumes':{'/file':{}}"), true },
};

static int make(struct runtime_config *out, const char *text, int dir,
		const struct runtime_options *options)
{
	struct safe_root root = { .fd = dir };
	AUTO(mem) char *bytes = NULL;
	AUTO(json) struct json_object *image = NULL;
	struct runtime_source source = {
		.label = "test", .root = &root,
	};
	const char *why = "";
	size_t len;

	bytes = quoted_bytes(text, &len);
	image = json_parse(bytes, len, JSON_DEPTH_DOCUMENT, &why);
	if (!image)
		check_text(__FILE__, __LINE__, "why", why, "");
	source.image = image;
	return runtimeconfig_make(out, &source, options);
}

/* What is at "/a/0/b" in a document, as text; the caller frees it. */
static char *text_at(struct json_object *json, const char *where)
{
	struct json_object *value = NULL;

	if (json_pointer_get(json, where, &value) != 0)
		return mem_strdup("(nothing)");
	return mem_strdup(json_object_to_json_string_ext(
		value, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
}

static void check_at(const struct runtime_config *config, const char *where,
		     const char *what)
{
	AUTO(mem) char *got = text_at(config->json, where);
	AUTO(mem) char *bytes = NULL;
	AUTO(mem) char *want = NULL;
	size_t len;

	bytes = quoted_bytes(what, &len);
	want = mem_strndup(bytes, len);
	CHECK_TEXT(got, want);
}

static void check_made(int dir)
{
	static const struct runtime_options options = { .strict = false };

	for (size_t i = 0; i < COUNT(made); i++) {
		AUTO(runtime_config) struct runtime_config config = { 0 };
		AUTO(buf) struct buf text = { 0 };
		AUTO(json) struct json_object *again = NULL;
		const char *why = "";

		check_row(made[i].config);
		CHECK_NUMBER(make(&config, made[i].config, dir, &options), 0);
		if (!config.json)
			continue;
		check_at(&config, made[i].where, made[i].what);
		/* What is written is read as it was meant. */
		runtimeconfig_text(&config, &text);
		again = json_parse(text.data, text.len, JSON_DEPTH_DOCUMENT, &why);
		CHECK(again && json_object_equal(again, config.json));
	}
}

static void check_refused(int dir)
{
	static const struct runtime_options options = { .strict = true };
	static const struct runtime_options lax = { .strict = false };

	for (size_t i = 0; i < COUNT(refused); i++) {
		AUTO(runtime_config) struct runtime_config config = { 0 };

		check_row(refused[i].config);
		CHECK_NUMBER(make(&config, refused[i].config, dir, &options),
			     -STATUS_INTEGRITY);
		CHECK(config.json == NULL);
		CHECK_NUMBER(make(&config, refused[i].config, dir, &lax),
			     refused[i].lax ? 0 : -STATUS_INTEGRITY);
	}
}

static void check_options(int dir)
{
	AUTO(json) struct json_object *args = json_new_array();
	struct runtime_options options = {
		.terminal = true, .readonly = true, .labels = true,
		.hostname = "box", .args = args,
	};
	AUTO(runtime_config) struct runtime_config config = { 0 };

	check_row("options");
	json_append(args, json_new_string("ls"));
	CHECK_NUMBER(make(&config,
			  "{'os':'linux','config':{'Entrypoint':['e'],'Env':"
			  "['PATH=/p'],'Labels':{'':'e','b':'2','a':'\\u0001',"
			  "'run.oci.handler':'x','org.systemd.property.X':'y',"
			  "'org.opencontainers.image.os':'mine','n':null}}}",
			  dir, &options), 0);
	check_at(&config, "/process/args", "['ls']");
	check_at(&config, "/process/terminal", "true");
	check_at(&config, "/process/env", "['TERM=xterm','PATH=/p']");
	check_at(&config, "/root/readonly", "true");
	check_at(&config, "/hostname", "'box'");
	check_at(&config, "/annotations",
		 "{'org.opencontainers.image.os':'mine','a':'\\u0001','b':'2'}");
	CHECK_NUMBER(config.labels_left_out, 4);
	/* Whose the array is has not changed. */
	CHECK_NUMBER(json_object_array_length(args), 1);
}

int main(void)
{
	int dir = scratch_open();

	check_row("files");
	CHECK_NUMBER(mkdirat(dir, "etc", 0755), 0);
	CHECK_NUMBER(symlinkat("/proc", dir, "hidden"), 0);
	CHECK_NUMBER(symlinkat("loop", dir, "loop"), 0);
	scratch_write(dir, "file", "", 0);
	scratch_write(dir, "etc/passwd", "app:x:1000:1001::/:", 19);
	scratch_write(dir, "etc/group", "a:x:44:app\nb:x:10:app", 21);
	check_made(dir);
	check_refused(dir);
	check_options(dir);
	close(dir);
	return check_result();
}
