"""What the window needs to name a node and to ask about its key, from the layer that it may not import."""

from studio.remote.asking import PASSPHRASE as PASSPHRASE
from studio.remote.asking import PASSWORD as PASSWORD
from studio.remote.errors import HostKeyUnknown as HostKeyUnknown
from studio.remote.transport import NodeAddress as NodeAddress
