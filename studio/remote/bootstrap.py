"""The one constant command that starts the agent on a node; every value reaches it on standard input.

The login shell may be any, csh and fish included, so the command is one line without single quotes, backslashes and
exclamation marks inside its quotes. /bin/sh finds a Python; the Python part reads one JSON line, sees to the agent's
home, takes the agent's files where they are missing or not what they were, and becomes the agent.
"""

from __future__ import annotations

import base64
import zlib

OLDEST_PYTHON = (3, 8)
EXIT_NO_PYTHON = 97
EXIT_CUT = 98
MAX_ARCHIVE_BYTES = 64 << 20

# Parses on Python 3.4 and later, so that an interpreter that is too old can say so itself.
PROGRAM = r"""
import os, sys

def say(nonce, text):
    os.write(1, ("\nLUTHIER-BOOT %s %s\n" % (nonce, text)).encode("ascii"))

def refuse(nonce, sentence, code):
    import json
    say(nonce, "refused " + json.dumps(sentence))
    os._exit(code)

def newer_python(source):
    for minor in range(14, 7, -1):
        for folder in os.environ.get("PATH", "").split(os.pathsep):
            path = os.path.join(folder, "python3.%d" % minor)
            if os.path.isabs(path) and os.access(path, os.X_OK):
                os.execv(path, [path, "-I", "-B", "-c", source, source])

def read_exactly(count):
    parts = []
    while count:
        part = os.read(0, min(count, 1 << 16))
        if not part:
            os._exit(98)
        parts.append(part)
        count -= len(part)
    return b"".join(parts)

def read_line():
    line = b""
    while not line.endswith(b"\n"):
        if len(line) > 1 << 16:
            os._exit(98)
        line += read_exactly(1)
    return line

def private_folder(path):
    import stat
    try:
        os.makedirs(path, 0o700)
    except OSError:
        if not os.path.lexists(path):
            raise
    facts = os.lstat(path)
    if stat.S_ISLNK(facts.st_mode):
        return "%s is a symbolic link; name the folder it leads to as the node's home." % path
    if not stat.S_ISDIR(facts.st_mode):
        return "%s is not a folder; choose another home for the node or remove the file." % path
    if os.name == "nt":
        return ""
    if facts.st_uid != os.geteuid():
        return "%s belongs to another user; choose another home for the node." % path
    if facts.st_mode & 0o077:
        return "%s is open to other users (mode %o). Close it with: chmod 700 %s" % (path, facts.st_mode & 0o777, path)
    parent = os.stat(os.path.dirname(path))
    if parent.st_mode & stat.S_IWOTH and not parent.st_mode & stat.S_ISVTX:
        return "Anybody may write to %s, so %s is not safe there." % (os.path.dirname(path), path)
    return ""

def settle(folder):
    if os.name != "nt":
        handle = os.open(folder, os.O_RDONLY)
        os.fsync(handle)
        os.close(handle)

def precompile(target, final):
    # The agent runs without writing bytecode, so what every command imports is compiled here, once, for this Python.
    # Unchecked: the folder is named by its content and never changes. By position: the names are newer than 3.6.
    import py_compile
    mode = vars(py_compile)["PycInvalidationMode"].UNCHECKED_HASH
    try:
        made = py_compile.compile(target, None, final, True, -1, mode)
    except py_compile.PyCompileError:
        return None
    with open(made, "rb") as out:
        os.fsync(out.fileno())
    return os.path.dirname(made)

def content(folder, compiled):
    # One digest for the names and bytes of the sources, or of what was compiled of them; None where there is a link.
    import hashlib
    paths = []
    for where, folders, names in os.walk(folder):
        if any(os.path.islink(os.path.join(where, name)) for name in folders + names):
            return None
        if (os.path.basename(where) == "__pycache__") == compiled:
            paths += [os.path.join(where, name) for name in names if (where, name) != (folder, "compiled")]
    digest = hashlib.sha256()
    for name, path in sorted((os.path.relpath(path, folder).replace(os.sep, "/"), path) for path in paths):
        with open(path, "rb") as file:
            data = file.read()
        digest.update(("%s\0%d\0" % (name, len(data))).encode("utf-8"))
        digest.update(data)
    return digest.hexdigest()

def is_whole(folder, tree):
    # What somebody changed, a disk damaged or a clean-up removed is noticed before any of it runs.
    try:
        with open(os.path.join(folder, "compiled")) as file:
            return content(folder, False) == tree and content(folder, True) == file.read()
    except (OSError, ValueError):
        return False

def put(aside, parent, folder, tree):
    # A folder that is there already is another call's work, or no longer whole and then goes.
    import binascii, shutil
    if os.path.isdir(folder) and is_whole(folder, tree):
        return
    old = os.path.join(parent, ".old-" + binascii.hexlify(os.urandom(8)).decode("ascii"))
    if os.path.isdir(folder):
        os.rename(folder, old)
    try:
        os.rename(aside, folder)
    except OSError:
        if not os.path.isdir(folder):
            raise
    shutil.rmtree(old, True)

def unpack(data, parent, folder, tree):
    import binascii, io, shutil, time, zipfile
    for name in os.listdir(parent):
        old = os.path.join(parent, name)
        if name.startswith((".new-", ".old-")) and time.time() - os.lstat(old).st_mtime > 86400:
            shutil.rmtree(old, True)
    aside = os.path.join(parent, ".new-" + binascii.hexlify(os.urandom(8)).decode("ascii"))
    os.mkdir(aside, 0o700)
    try:
        folders = {aside}
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for name in archive.namelist():
                parts = name.split("/")
                if "\\" in name or ":" in name or "" in parts or "." in parts or ".." in parts:
                    raise ValueError("the archive names %r" % name)
                target = os.path.join(aside, *parts)
                if not os.path.isdir(os.path.dirname(target)):
                    os.makedirs(os.path.dirname(target), 0o700)
                folders.add(os.path.dirname(target))
                with open(target, "xb") as out:
                    out.write(archive.read(name))
                    out.flush()
                    os.fsync(out.fileno())
                if parts[1:2] in (["contract"], ["run_files"], ["supervisor"]):
                    folders.add(precompile(target, os.path.join(folder, *parts)) or os.path.dirname(target))
        with open(os.path.join(aside, "compiled"), "w") as out:
            out.write(content(aside, True))
            out.flush()
            os.fsync(out.fileno())
        for each in folders:
            settle(each)
        put(aside, parent, folder, tree)
        settle(parent)
    finally:
        shutil.rmtree(aside, True)

def install(request, nonce):
    import errno, hashlib
    home = os.path.expanduser(request["home"])
    if not os.path.isabs(home):
        refuse(nonce, "The node's home must be an absolute path or start with ~/, not %r." % request["home"], 96)
    home = os.path.normpath(home)
    parent = os.path.join(home, "agent")
    folder = os.path.join(parent, request["sha256"])
    try:
        problem = private_folder(home) or private_folder(parent)
        if problem:
            refuse(nonce, problem, 96)
        if os.path.isdir(folder) and is_whole(folder, request["tree"]):
            say(nonce, "have")
            return folder
        say(nonce, "need")
        data = read_exactly(request["size"])
        if hashlib.sha256(data).hexdigest() != request["sha256"]:
            refuse(nonce, "The agent arrived damaged; try again.", 96)
        unpack(data, parent, folder, request["tree"])
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            refuse(nonce, "There is no space left for %s; free some, or choose another home for the node." % home, 96)
        refuse(nonce, "Cannot set up %s: %s." % (home, error), 96)
    return folder

def main():
    if os.name == "nt":
        import msvcrt
        msvcrt.setmode(0, os.O_BINARY)
        msvcrt.setmode(1, os.O_BINARY)
    old = sys.version_info < (3, 8)
    if old:
        newer_python(sys.argv[1])
    import json
    os.umask(0o077)
    request = json.loads(read_line().decode("utf-8"))
    nonce = request["nonce"]
    if old:
        refuse(nonce, "The node's newest Python is %s (%s); Luthier needs 3.8 or later."
               % (sys.version.split()[0], sys.executable), 97)
    folder = install(request, nonce)
    words = [sys.executable, "-I", "-B", folder, request["command"]]
    if os.name == "nt":
        import subprocess
        sys.exit(subprocess.call(words))
    os.execv(sys.executable, words)

main()
"""
PACKED_PROGRAM = (
    'import base64,zlib;exec(compile(zlib.decompress(base64.b64decode("'
    + base64.b64encode(zlib.compress(PROGRAM.encode("ascii"), 9)).decode("ascii")
    + '")),"luthier-bootstrap","exec"))'
)

# Not exec: a python3 on the path may be a shim with nothing behind it (126, 127); then the next one is tried.
_FIND_PYTHON = (
    "for p in python3 python3.14 python3.13 python3.12 python3.11 python3.10 python3.9 python3.8; do "
    'if command -v "$p" >/dev/null 2>&1; then "$p" -I -B -c "$1" "$1"; r=$?; '
    "case $r in 126|127) ;; *) exit $r ;; esac; fi; done; "
    f"echo LUTHIER-NO-PYTHON; exit {EXIT_NO_PYTHON}"
)

COMMAND = f"exec /bin/sh -c '{_FIND_PYTHON}' luthier '{PACKED_PROGRAM}'"
"""What a login shell is asked to run."""


def shell_words() -> list[str]:
    """Return the same as words, for programs that run words in a container without a login shell."""
    return ["/bin/sh", "-c", _FIND_PYTHON, "luthier", PACKED_PROGRAM]


def interpreter_arguments() -> list[str]:
    """Return what follows a known interpreter's path to run the same program without a shell."""
    return ["-I", "-B", "-c", PACKED_PROGRAM, PACKED_PROGRAM]
