/* The environment of a connector: what it needs to run, and nothing of what Firth was started with.
 *
 * Kept: PATH, HOME, TMPDIR, the locale (LANG, LC_ALL, LC_CTYPE), TZ, the proxy variables (http_proxy,
 * https_proxy, all_proxy, no_proxy, in both cases) and the CA variables (SSL_CERT_FILE, SSL_CERT_DIR,
 * CURL_CA_BUNDLE, REQUESTS_CA_BUNDLE, NODE_EXTRA_CA_CERTS). A built-in connector, being Firth itself, keeps
 * FIRTH_* too, but for the keys of what is kept encrypted (and in test builds the sanitizers' options).
 * podman and docker keep what tells them where their images, daemons and credentials are (CONTAINER*,
 * DOCKER_*, STORAGE_*, XDG_*, REGISTRY_AUTH_FILE and the session bus); what runs in a container sees none of
 * it. What the endpoint's `env` gives comes after that and wins, but for `session` (session.h, or ""). */
#ifndef FIRTH_CONNECTOR_ENVIRONMENT_H
#define FIRTH_CONNECTOR_ENVIRONMENT_H

enum connector_environment_kind {
    CONNECTOR_ENVIRONMENT_COMMAND,
    CONNECTOR_ENVIRONMENT_BUILT_IN,
    CONNECTOR_ENVIRONMENT_ENGINE,
};

/* NULL-terminated; one heap block per string and one for the array: connector_environment_free. */
char **connector_environment(const char *const *given, const char *session,
                             enum connector_environment_kind kind);
void connector_environment_free(char **environment);
/* The variable's value, or NULL. */
const char *connector_environment_get(char *const *environment, const char *name);

#endif
