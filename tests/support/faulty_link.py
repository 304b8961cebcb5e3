"""A TCP relay in front of a server that delays, throttles, stalls, holds back and cuts what passes, on demand."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import struct
import threading
import time
from collections.abc import Callable
from types import TracebackType

UP, DOWN = "up", "down"
_CHUNK_BYTES = 16 << 10
_NO_LIMIT = 1 << 62


class FaultyLink:
    """A relay from a port of its own to a port of this computer; use it as a context.

    Args:
        target_port: where the bytes go.
        delay_s: each way.
        bytes_per_s: each way and connection, 0 for as fast as it goes.
        stall_chance, stall_s: how often a piece waits, and all behind it, as after a lost packet.
        seed: of these chances.
    """

    def __init__(
        self,
        target_port: int,
        delay_s: float = 0.0,
        bytes_per_s: int = 0,
        stall_chance: float = 0.0,
        stall_s: float = 0.2,
        seed: int = 0,
    ) -> None:
        self.port = 0
        self.connections = 0
        self._target_port = target_port
        self._delay_s, self._bytes_per_s = delay_s, bytes_per_s
        self._stall_chance, self._stall_s, self._chance = stall_chance, stall_s, random.Random(seed)
        self._left = _NO_LIMIT
        self._loop = asyncio.new_event_loop()
        self._open = {UP: asyncio.Event(), DOWN: asyncio.Event()}
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="faulty-link")

    def __enter__(self) -> FaultyLink:
        self._thread.start()
        assert self._ready.wait(5.0)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def hold(self, *ways: str) -> None:
        """Let nothing pass any more, in these directions; connections stay and new ones are taken."""
        for way in ways:
            self._do(self._open[way].clear)

    def release(self) -> None:
        """Let everything pass again."""
        for event in self._open.values():
            self._do(event.set)

    def reset(self) -> None:
        """Cut every connection as a router does that forgot it."""
        self._do(self._reset)

    def reset_after(self, count: int) -> None:
        """Cut every connection once so many more bytes came down, wherever in a frame that is."""
        self._do(lambda: setattr(self, "_left", count))

    def _do(self, action: Callable[[], object]) -> None:
        done = threading.Event()
        self._loop.call_soon_threadsafe(action)
        self._loop.call_soon_threadsafe(done.set)
        assert done.wait(5.0)

    def _run(self) -> None:
        self._loop.run_until_complete(self._listen())
        self._ready.set()
        self._loop.run_forever()
        self._loop.run_until_complete(self._end())
        self._loop.close()

    async def _listen(self) -> None:
        for event in self._open.values():
            event.set()
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = int(self._server.sockets[0].getsockname()[1])

    async def _end(self) -> None:
        assert self._server is not None
        self._server.close()
        self._reset()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=2.0)

    async def _connected(self, near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.add(back)
        try:
            with contextlib.suppress(OSError, asyncio.CancelledError):
                far, forth = await asyncio.open_connection("127.0.0.1", self._target_port)
                self._writers.add(forth)
                await asyncio.gather(self._pump(near, forth, UP), self._pump(far, back, DOWN))
        finally:
            for writer in (back, *([forth] if "forth" in locals() else [])):
                self._writers.discard(writer)
                writer.close()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: str) -> None:
        queue: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(4096)
        taking = asyncio.create_task(self._take(reader, queue))
        try:
            while True:
                due, data = await queue.get()
                await self._open[way].wait()
                if self._stall_chance and self._chance.random() < self._stall_chance:
                    due += self._stall_s
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                if not data:
                    writer.write_eof()
                    return
                if way == DOWN and len(data) >= self._left:
                    writer.write(data[: self._left])
                    await writer.drain()
                    self._left = _NO_LIMIT
                    self._reset()
                    return
                self._left -= len(data) if way == DOWN and self._left < _NO_LIMIT else 0
                writer.write(data)
                await writer.drain()
                if self._bytes_per_s:
                    await asyncio.sleep(len(data) / self._bytes_per_s)
        finally:
            taking.cancel()

    async def _take(self, reader: asyncio.StreamReader, queue: asyncio.Queue[tuple[float, bytes]]) -> None:
        while True:
            try:
                data = await reader.read(_CHUNK_BYTES)
            except OSError:
                data = b""
            await queue.put((time.monotonic() + self._delay_s, data))
            if not data:
                return

    def _reset(self) -> None:
        for writer in self._writers:
            connection = writer.get_extra_info("socket")
            with contextlib.suppress(OSError):
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
