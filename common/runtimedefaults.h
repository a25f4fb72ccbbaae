/* runtimedefaults.h - what config.json holds whatever the image says.
 *
 * Namespaces, mounts, masked and read-only paths, capabilities and limits as
 * `runc spec` of runc 1.1 has them, with two differences: the inheritable and
 * ambient sets are empty (with them every program in the container starts
 * with capabilities, whoever runs it; CVE-2022-24769), and there is no cgroup
 * namespace, which runc adds depending on the machine it runs on.
 */
#ifndef OCCY_COMMON_RUNTIMEDEFAULTS_H
#define OCCY_COMMON_RUNTIMEDEFAULTS_H

#include "common/json.h"

#define RUNTIME_SPEC_VERSION "1.0.2"

/* Each returns a new object or array; the caller puts it. */
struct json_object *runtimedefaults_capabilities(void);
struct json_object *runtimedefaults_rlimits(void);
struct json_object *runtimedefaults_mounts(void);
struct json_object *runtimedefaults_linux(void);

/* One entry for mounts; options ends with NULL. */
struct json_object *runtimedefaults_mount(const char *destination,
					  const char *type, const char *source,
					  const char *const *options);

#endif
