"""What a run will hold on each GPU, in host memory and on disk, phase by phase and term by term.

`setup.Setup` says what is run (`from_job`, `from_table` make one), `phases` lists the tensors, `estimate` adds
allocator, driver and communication, `host` does host memory and disk, `search` finds what fits.
"""

from remote_agent.contract.memory.estimate import DOES_NOT_FIT as DOES_NOT_FIT
from remote_agent.contract.memory.estimate import FITS as FITS
from remote_agent.contract.memory.estimate import TIGHT as TIGHT
from remote_agent.contract.memory.estimate import UNKNOWN as UNKNOWN
from remote_agent.contract.memory.estimate import Figure as Figure
from remote_agent.contract.memory.estimate import MemoryEstimate as MemoryEstimate
from remote_agent.contract.memory.estimate import estimate_memory as estimate_memory
from remote_agent.contract.memory.estimate import verdict as verdict
from remote_agent.contract.memory.from_job import JobSetup as JobSetup
from remote_agent.contract.memory.from_job import setup_of_job as setup_of_job
from remote_agent.contract.memory.host import DiskEstimate as DiskEstimate
from remote_agent.contract.memory.host import HostEstimate as HostEstimate
from remote_agent.contract.memory.host import disk as disk
from remote_agent.contract.memory.host import host_memory as host_memory
from remote_agent.contract.memory.phases import Phase as Phase
from remote_agent.contract.memory.setup import Setup as Setup
from remote_agent.contract.memory.setup import Shape as Shape
from remote_agent.contract.memory.states import StateBytes as StateBytes
from remote_agent.contract.memory.states import state_bytes as state_bytes
