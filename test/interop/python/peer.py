"""The interop peer on grpcio: reads commands as JSON lines and answers each with one line; see ../README.md."""

import asyncio
import base64
import json
import struct
import sys
import time

import grpc

MESSAGE_BYTES_MAX = 64 << 20
PATHS = {name.lower(): f"/interop.Echo/{name}" for name in ("Unary", "Collect", "Repeat", "Chat")}


def pattern(index, size):
    return (struct.pack(">I", index) + bytes([index & 255]) * max(size - 4, 0))[:size]


class Gate:
    """Lets callers through when as many as they name stand before it."""

    def __init__(self):
        self.waiting = 0
        self.opened = asyncio.Event()

    async def wait(self, wanted):
        opened = self.opened
        self.waiting += 1
        if self.waiting == wanted:
            self.waiting, self.opened = 0, asyncio.Event()
            opened.set()
        await opened.wait()


class Echo(grpc.GenericRpcHandler):
    def __init__(self):
        self.cancelled = 0
        self.gate = None

    def service(self, details):
        kind = next((kind for kind, path in PATHS.items() if path == details.method), None)
        if kind == "unary":
            return grpc.unary_unary_rpc_method_handler(self.unary)
        if kind == "collect":
            return grpc.stream_unary_rpc_method_handler(self.collect)
        if kind == "repeat":
            return grpc.unary_stream_rpc_method_handler(self.repeat)
        if kind == "chat":
            return grpc.stream_stream_rpc_method_handler(self.chat)
        return None

    async def begin(self, context):
        """What comes before the answer, for all kinds: metadata, the wait, the gate."""
        metadata = list(context.invocation_metadata())
        asked = dict(metadata)
        headers = [(key, value) for key, value in metadata if key.startswith("echo-")]
        if "x-show-timeout" in asked and context.time_remaining() is not None:
            headers.append(("seen-timeout-ms", str(int(context.time_remaining() * 1000))))
        if "x-gzip" in asked:
            context.set_compression(grpc.Compression.Gzip)
        if headers:
            await context.send_initial_metadata(headers)
        context.set_trailing_metadata([(key, value) for key, value in metadata if key.startswith("trail-")])
        try:
            if "x-delay-ms" in asked:
                await asyncio.sleep(int(asked["x-delay-ms"]) / 1000)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if "x-gate" in asked:
            self.gate = self.gate or Gate()
            await self.gate.wait(int(asked["x-gate"]))
        return asked

    async def end(self, asked, context):
        """The status that the caller asked for."""
        wanted = int(asked.get("x-status", 0))
        if wanted == 0:
            return
        code = next(code for code in grpc.StatusCode if code.value[0] == wanted)
        trailers = list(context.trailing_metadata() or [])
        if "x-details-bin" in asked:
            trailers.append(("grpc-status-details-bin", asked["x-details-bin"]))
        await context.abort(code, asked.get("x-message-bin", b"").decode(), tuple(trailers))

    async def unary(self, request, context):
        asked = await self.begin(context)
        await self.end(asked, context)
        return pattern(0, int(asked["x-size"])) if "x-size" in asked else request

    async def collect(self, requests, context):
        asked = await self.begin(context)
        count = total = 0
        async for request in requests:
            count += 1
            total += len(request)
        await self.end(asked, context)
        return f"{count} {total}".encode()

    async def repeat(self, _request, context):
        asked = await self.begin(context)
        for index in range(int(asked.get("x-count", 1))):
            yield pattern(index, int(asked.get("x-size", 0)))
        await self.end(asked, context)

    async def chat(self, requests, context):
        asked = await self.begin(context)
        early = int(asked.get("x-early", -1))
        count = 0
        if early != 0:
            async for request in requests:
                yield request
                count += 1
                if count == early:
                    break
        await self.end(asked, context)


def from_wire(pairs):
    return [(key, base64.b64decode(value) if key.endswith("-bin") else value) for key, value in pairs or []]


def to_wire(metadata):
    return [
        [key, base64.b64encode(value).decode() if isinstance(value, bytes) else value] for key, value in metadata or []
    ]


class Call:
    """One call of a client, and what came of it."""

    def __init__(self, command):
        self.command = command
        self.metadata = from_wire(command.get("metadata"))
        self.size = command.get("size", 0)
        self.count = command.get("count", 0)
        self.replies = 0
        self.faults = 0

    async def requests(self):
        for index in range(self.count):
            yield pattern(index, self.size)

    def take(self, reply):
        kind = self.command["kind"]
        asked = dict(self.metadata)
        if kind == "collect":
            expected = f"{self.count} {self.count * self.size}".encode()
        elif kind == "repeat":
            expected = pattern(self.replies, int(asked.get("x-size", 0)))
        else:
            expected = pattern(self.replies, int(asked.get("x-size", self.size)))
        self.replies += 1
        if reply != expected:
            self.faults += 1

    def start(self, channel):
        command = self.command
        options = {"metadata": self.metadata}
        if command.get("timeoutMs"):
            options["timeout"] = command["timeoutMs"] / 1000
        if command.get("gzip"):
            options["compression"] = grpc.Compression.Gzip
        kind = command["kind"]
        path = command.get("path") or PATHS[kind]
        if kind == "unary":
            return channel.unary_unary(path)(pattern(0, self.size), **options)
        if kind == "collect":
            return channel.stream_unary(path)(self.requests(), **options)
        if kind == "repeat":
            return channel.unary_stream(path)(pattern(0, self.size), **options)
        return channel.stream_stream(path)(self.requests(), **options)

    async def run(self, channel):
        call = self.start(channel)
        if self.command.get("cancelAfterMs"):
            asyncio.get_running_loop().call_later(self.command["cancelAfterMs"] / 1000, call.cancel)
        try:
            if self.command["kind"] in ("unary", "collect"):
                self.take(await call)
            else:
                async for reply in call:
                    self.take(reply)
        except (grpc.RpcError, asyncio.CancelledError):
            pass
        code = await call.code()
        trailers = to_wire(await call.trailing_metadata())
        details = next((value for key, value in trailers if key == "grpc-status-details-bin"), "")
        return {
            "code": code.value[0],
            "message": await call.details() or "",
            "details": details,
            "headers": to_wire(await call.initial_metadata()),
            "trailers": trailers,
        }


async def call_many(channel, command):
    until = time.monotonic() + command.get("forMs", 0) / 1000
    total = {"code": 0, "message": "", "replies": 0, "faults": 0, "codes": {}}

    async def work():
        while True:
            call = Call(command)
            one = await call.run(channel)
            codes = total["codes"]
            codes[str(one["code"])] = codes.get(str(one["code"]), 0) + 1
            total["replies"] += call.replies
            total["faults"] += call.faults
            if total["code"] == 0:
                total.update(one)
            if time.monotonic() >= until:
                return

    await asyncio.gather(*(work() for _ in range(max(command.get("parallel", 1), 1))))
    return total


class Peer:
    def __init__(self):
        self.echo = Echo()
        self.servers = []
        self.channels = []

    def options(self, command):
        options = [
            ("grpc.max_receive_message_length", MESSAGE_BYTES_MAX),
            ("grpc.max_send_message_length", MESSAGE_BYTES_MAX),
            ("grpc.so_reuseport", 0),
        ]
        if command.get("windowBytes"):
            options += [("grpc.http2.lookahead_bytes", command["windowBytes"]), ("grpc.http2.bdp_probe", 0)]
        if command.get("streamsMax"):
            options.append(("grpc.max_concurrent_streams", command["streamsMax"]))
        if command.get("headerBytesMax"):
            options.append(("grpc.absolute_max_metadata_size", command["headerBytesMax"]))
            options.append(("grpc.max_metadata_size", command["headerBytesMax"]))
        if command.get("keepaliveMs"):
            options.append(("grpc.keepalive_time_ms", command["keepaliveMs"]))
            options.append(("grpc.keepalive_timeout_ms", command["keepaliveTimeoutMs"]))
            options.append(("grpc.keepalive_permit_without_calls", 1))
            options.append(("grpc.http2.max_pings_without_data", 0))
        return options

    async def run(self, command):
        do = command["do"]
        if do == "serve":
            server = grpc.aio.server(options=self.options(command))
            server.add_generic_rpc_handlers((self.echo,))
            port = server.add_insecure_port("127.0.0.1:0")
            await server.start()
            self.servers.append(server)
            return {"server": len(self.servers) - 1, "port": port}
        if do == "stop":
            await self.servers[command["server"]].stop(30)
            return {}
        if do == "dial":
            self.channels.append(grpc.aio.insecure_channel(command["address"], options=self.options(command)))
            return {"channel": len(self.channels) - 1}
        if do == "hangup":
            await self.channels[command["channel"]].close()
            return {}
        if do == "call":
            return await call_many(self.channels[command["channel"]], command)
        if do == "cancelled":
            return {"cancelled": self.echo.cancelled}
        raise ValueError(f"no command {do}")


async def main():
    peer = Peer()
    loop = asyncio.get_running_loop()
    running = set()

    async def answer(command):
        try:
            result = await peer.run(command)
        except Exception as error:  # whatever it was: the test is told
            result = {"error": repr(error)}
        print(json.dumps({"id": command["id"], **result}), flush=True)

    while line := await loop.run_in_executor(None, sys.stdin.readline):
        task = asyncio.ensure_future(answer(json.loads(line)))
        running.add(task)
        task.add_done_callback(running.discard)


asyncio.run(main())
