import { expect, test } from "vitest";
import type { ComponentDeps, SharedScope } from "../spi/component.ts";
import type { Instance } from "../spi/name-resolution.ts";
import { createLocalRegistry } from "./resolver.ts";

function scope(): SharedScope {
  const values = new Map<string, unknown>();
  return {
    acquire: <T>(key: string, make: () => T): T => {
      if (!values.has(key)) {
        values.set(key, make());
      }
      return values.get(key) as T;
    },
  };
}

function registryIn(shared: SharedScope) {
  return createLocalRegistry({ shared } as unknown as ComponentDeps);
}

function instance(port: number, namespace = "a", address = "127.0.0.1"): Instance {
  return { appId: "app", namespace, address, internalGrpcPort: port, httpPort: 1 };
}

test("sidecars of one scope find each other by id and namespace, in turn", async () => {
  const shared = scope();
  const [one, two, asker] = [registryIn(shared), registryIn(shared), registryIn(shared)];
  await one.announce(instance(1));
  await two.announce(instance(2, "a", "::1"));
  const request = { appId: "app", namespace: "a" };
  expect([await asker.resolve(request), await asker.resolve(request), await asker.resolve(request)]).toEqual([
    "127.0.0.1:1",
    "[::1]:2",
    "127.0.0.1:1",
  ]);
  await expect(asker.resolve({ appId: "app", namespace: "b" })).rejects.toMatchObject({
    kind: "notFound",
    message: "couldn't find service: app",
  });
});

test("a closed sidecar is gone, once, and another scope never saw it", async () => {
  const shared = scope();
  const [one, two, asker] = [registryIn(shared), registryIn(shared), registryIn(shared)];
  await one.announce(instance(1));
  await two.announce(instance(1));
  await one.close();
  await one.close();
  expect(await asker.resolve({ appId: "app", namespace: "a" })).toBe("127.0.0.1:1");
  await two.close();
  await expect(asker.resolve({ appId: "app", namespace: "a" })).rejects.toThrow("couldn't find service: app");
  await expect(registryIn(scope()).resolve({ appId: "app", namespace: "a" })).rejects.toThrow(
    "couldn't find service: app",
  );
});
