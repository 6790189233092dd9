import { expect, test } from "vitest";
import { silentLogger } from "../../kit/silent-logger.ts";
import type { ComponentDeps } from "../spi/component.ts";
import { createNameFormatResolver } from "./resolver.ts";

async function resolverWith(metadata: Readonly<Record<string, string>>) {
  const resolver = createNameFormatResolver({ name: "nameformat", logger: silentLogger } as unknown as ComponentDeps);
  await resolver.init(metadata, new AbortController().signal);
  return resolver;
}

test.each([
  ["service-{appid}.default.svc.cluster.local", "a", "service-a.default.svc.cluster.local"],
  ["{appid}-service-{appid}.example.test:50002", "a", "a-service-a.example.test:50002"],
  ["{appid}:1", "$&$1", "$&$1:1"],
])("%s makes of %s %s", async (format, appId, address) => {
  const resolver = await resolverWith({ format });
  expect(await resolver.resolve({ appId, namespace: "any" })).toBe(address);
});

test("an empty id has no address", async () => {
  const resolver = await resolverWith({ format: "{appid}:1" });
  await expect(resolver.resolve({ appId: "", namespace: "" })).rejects.toMatchObject({
    kind: "invalidRequest",
    message: "empty ID not allowed",
  });
});

test.each([
  [{}, "format is required in metadata"],
  [{ format: "" }, "format is required in metadata"],
  [{ format: "fixed:1" }, "format must contain {appid} placeholder"],
])("%j is refused", async (metadata, message) => {
  await expect(resolverWith(metadata)).rejects.toMatchObject({ kind: "invalidMetadata", message });
});
