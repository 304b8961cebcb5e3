"""A node over SSH: paramiko driven by hand, with our own socket, host key check, choice of keys and questions.

Nothing here waits without an end, no key of a server is accepted unasked, and a failed login is never repeated by
itself. A connection that no longer answers is abandoned, never joined.
"""

from studio.remote.ssh.transport import SshTransport as SshTransport
