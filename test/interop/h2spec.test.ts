import { execFile } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SELF_SIGNED_CERT, SELF_SIGNED_KEY } from "../../src/net/http/self-signed.fixture.ts";
import { createH2Transport } from "../../src/net/h2/protocol/transport.ts";
import { h2spec } from "./toolchains.ts";

/** The conformance tests of https://github.com/summerwind/h2spec. */
const toolchain = await h2spec();
const CASES = 146;

/** The last line that h2spec prints, which counts. */
async function judge(port: number, ...flags: string[]): Promise<string> {
  const [program = ""] = "command" in toolchain ? toolchain.command : [];
  const args = ["--strict", "--timeout", "1", "--host", "127.0.0.1", "--port", String(port), ...flags];
  const printed = await new Promise<string>((resolve) => {
    execFile(program, args, { maxBuffer: 8 * 2 ** 20 }, (_error, stdout) => resolve(stdout));
  });
  return printed.trimEnd().split("\n").at(-1) ?? "";
}

function open(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  return once(server, "listening").then(() => (server.address() as AddressInfo).port);
}

describe.skipIf("missing" in toolchain)("missing" in toolchain ? `h2spec (${toolchain.missing})` : "h2spec", () => {
  const servers: Server[] = [];
  const ports = { tcp: 0, tls: 0, broken: 0 };

  beforeAll(async () => {
    const body = Buffer.from("an answer of some length ".repeat(4));
    const h2 = createH2Transport().createServer((stream) => ({
      onData() {},
      onEnd() {
        stream.respond({ status: 200, headers: ["content-type", "text/plain"] }, false);
        stream.send(body, true);
      },
      onClose() {},
    }));
    const accept = (socket: Socket): void => h2.accept(socket);
    const tcp = createServer({ noDelay: true }, accept);
    const tls = createTlsServer({ key: SELF_SIGNED_KEY, cert: SELF_SIGNED_CERT, ALPNProtocols: ["h2"] }, accept);
    const broken = createServer((client) => withoutAcknowledgements(client, ports.tcp));
    servers.push(tcp, tls, broken);
    ports.tcp = await open(tcp);
    ports.tls = await open(tls);
    ports.broken = await open(broken);
  });

  afterAll(() => {
    for (const server of servers) server.close();
  });

  it("passes whole over TCP", async () => {
    expect(await judge(ports.tcp)).toBe(`${CASES} tests, ${CASES} passed, 0 skipped, 0 failed`);
  });

  it("passes whole over TLS", async () => {
    expect(await judge(ports.tls, "--tls", "--insecure")).toBe(`${CASES} tests, ${CASES} passed, 0 skipped, 0 failed`);
  });

  it("fails for a server that acknowledges no SETTINGS", async () => {
    expect(await judge(ports.broken, "http2/6.5.3")).toMatch(/[1-9]\d* failed$/);
  });
});

/** Passes a connection on, but for the server's acknowledgements of SETTINGS: a planted bug. */
function withoutAcknowledgements(client: Socket, port: number): void {
  const server = connect(port, "127.0.0.1");
  let seen = Buffer.alloc(0);
  server.on("data", (chunk: Buffer) => {
    seen = Buffer.concat([seen, chunk]);
    while (seen.length >= 9 && seen.length >= 9 + seen.readUIntBE(0, 3)) {
      const frame = seen.subarray(0, 9 + seen.readUIntBE(0, 3));
      seen = seen.subarray(frame.length);
      const isAcknowledgement = frame[3] === 4 && frame[4] === 1;
      if (!isAcknowledgement) client.write(frame);
    }
  });
  client.pipe(server);
  for (const [one, other] of [
    [client, server],
    [server, client],
  ] as const) {
    one.on("error", () => undefined);
    one.on("close", () => other.destroy());
  }
}
