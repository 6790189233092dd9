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

  it("picked is free and not one that is spoken for", async () => {
    const taken = new Set<number>();
    for (let i = 0; i < 20; i += 1) {
      const port = await pickFreePort(taken);
      expect(taken.has(port)).toBe(false);
      expect(await isPortFree("127.0.0.1", port)).toBe(true);
      taken.add(port);
    }
  });

  it("is given up when the system offers only what is spoken for", async () => {
    const every = { has: () => true } as unknown as ReadonlySet<number>;
    await expect(pickFreePort(every)).rejects.toThrow("no free port found in 64 tries");
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
