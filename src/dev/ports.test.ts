import { createServer, type Server } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { isPortFree, pickFreePort, portOwner } from "./ports.ts";

const servers: Server[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
});

async function listening(host: string): Promise<number> {
  const server = createServer();
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  return (server.address() as { port: number }).port;
}

describe("a port", () => {
  it("is taken while somebody listens, on all addresses or this one", async () => {
    expect(await isPortFree("127.0.0.1", await listening("127.0.0.1"))).toBe(false);
    expect(await isPortFree("127.0.0.1", await listening("0.0.0.0"))).toBe(false);
  });

  it("is free again afterwards", async () => {
    const port = await listening("127.0.0.1");
    await new Promise((resolve) => servers.pop()?.close(resolve));
    expect(await isPortFree("127.0.0.1", port)).toBe(true);
    expect(await isPortFree("127.0.0.1", port)).toBe(true);
  });

  it("of an address that is not ours is nobody's", async () => {
    expect(await isPortFree("192.0.2.1", 8080)).toBe(true);
  });

  it("picked is free and nobody else's, also of those who pick at the same time", async () => {
    const taken = new Set<number>();
    const first = await pickFreePort(taken);
    const ports = await Promise.all(Array.from({ length: 20 }, () => pickFreePort(taken)));
    expect(new Set([first, ...ports]).size).toBe(21);
    expect(ports.every((port) => taken.has(port))).toBe(true);
    for (const port of ports) {
      expect(await isPortFree("127.0.0.1", port)).toBe(true);
    }
  });

  it.each(["127.0.0.1", "0.0.0.0"])("picked is not one that somebody has on %s", async (host) => {
    const port = await pickFreePort(new Set());
    const server = createServer();
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(port, host, resolve));
    expect(await pickFreePort(new Set())).not.toBe(port);
  });

  it("picked is none that systems give to outgoing connections", async () => {
    const port = await pickFreePort(new Set());
    expect(port).toBeGreaterThanOrEqual(10_000);
    expect(port).toBeLessThan(15_000);
  });

  it("is given up when all are spoken for", async () => {
    const every = { has: () => true } as unknown as Set<number>;
    await expect(pickFreePort(every)).rejects.toThrow("none of the ports from 10000 to 14998 is free");
  });
});

describe.runIf(process.platform === "linux")("the owner of a port", () => {
  it.each(["127.0.0.1", "::"])("that listens on %s is named with its command", async (host) => {
    const owner = await portOwner(await listening(host));
    expect(owner).toMatch(new RegExp(`^pid ${process.pid} \\(.*node.*\\)$`));
    expect(owner?.length).toBeLessThan(130);
  });

  it("is nobody when nobody listens", async () => {
    expect(await portOwner(await pickFreePort(new Set()))).toBeUndefined();
  });
});
