"""A real OpenSSH server that asks for a password and a code; a small library of ours stands in for its PAM."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from studio.demo.private_sshd import PrivateSshd
from tests.support.sshd import running_sshd

PASSWORD, CODE = "correct horse", "314159"

# Asks "Password: " (hidden) in one round and, where ASKING_CODE is set, "Code of the day: " (shown) in a second one.
_SOURCE = r"""
#include <stdlib.h>
#include <string.h>
struct pam_message { int style; const char *text; };
struct pam_response { char *text; int code; };
struct pam_conv { int (*ask)(int, const struct pam_message **, struct pam_response **, void *); void *data; };
static struct pam_conv conversation;
static const char *user_name, *password, *code;
__attribute__((constructor)) static void remember(void)  /* sshd empties the environment before it asks */
{
    const char *one = getenv("ASKING_PASSWORD"), *other = getenv("ASKING_CODE");
    password = one ? strdup(one) : 0;
    code = other ? strdup(other) : 0;
}
int pam_start(const char *service, const char *user, const struct pam_conv *conv, void **handle)
{ conversation = *conv; user_name = strdup(user ? user : ""); *handle = &conversation; return 0; }
int pam_end(void *handle, int status) { return 0; }
int pam_set_item(void *handle, int type, const void *item)
{ if (type == 5) conversation = *(const struct pam_conv *)item; return 0; }
int pam_get_item(const void *handle, int type, const void **item) { *item = type == 2 ? user_name : 0; return 0; }
static int fits(int style, const char *prompt, const char *wanted)
{
    struct pam_message message = { style, prompt };
    const struct pam_message *list[1] = { &message };
    struct pam_response *response = 0;
    if (conversation.ask(1, list, &response, conversation.data) != 0 || !response || !response->text) return 0;
    return strcmp(response->text, wanted) == 0;
}
int pam_authenticate(void *handle, int flags)
{
    if (password && !fits(1, "Password: ", password)) return 7;
    if (code && !fits(2, "Code of the day: ", code)) return 7;
    return 0;
}
int pam_acct_mgmt(void *handle, int flags) { return 0; }
int pam_setcred(void *handle, int flags) { return 0; }
int pam_open_session(void *handle, int flags) { return 0; }
int pam_close_session(void *handle, int flags) { return 0; }
int pam_chauthtok(void *handle, int flags) { return 0; }
char **pam_getenvlist(void *handle) { return calloc(1, sizeof(char *)); }
int pam_putenv(void *handle, const char *value) { return 0; }
const char *pam_strerror(void *handle, int code) { return code ? "refused" : "fine"; }
"""


def asking_library(folder: Path) -> Path:
    """Compile the library in a folder and return it."""
    source, library = folder / "pam.c", folder / "pam.so"
    source.write_text(_SOURCE, encoding="ascii")
    subprocess.run(["cc", "-shared", "-fPIC", "-o", str(library), str(source)], check=True)
    return library


@contextmanager
def asking_sshd(
    folder: Path, library: Path, options: tuple[str, ...], password: bool = True, code: bool = False
) -> Iterator[PrivateSshd]:
    """Run a server that asks for the password, the code, or one after the other."""
    environment = {"LD_PRELOAD": str(library)}
    environment |= {"ASKING_PASSWORD": PASSWORD} if password else {}
    environment |= {"ASKING_CODE": CODE} if code else {}
    wanted = ("UsePAM yes", "PermitRootLogin yes", "LoginGraceTime 30", *options)
    with running_sshd(folder, options=wanted, environment=environment) as server:
        yield server
