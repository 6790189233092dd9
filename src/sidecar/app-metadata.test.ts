import { expect, it } from "vitest";
import { appConnectionMetadata } from "./app-metadata.ts";
import { defaultOptions } from "./default-options.ts";

const options = { ...defaultOptions("app"), appPort: 8080 };
const appHealth = { ...options.appHealth, enabled: true };

it("shows no limit as 0 and leaves health out where there are no checks", () => {
  expect(appConnectionMetadata(options)).toEqual({
    port: 8080,
    protocol: "http",
    channelAddress: "127.0.0.1",
    maxConcurrency: 0,
  });
  expect(appConnectionMetadata({ ...options, appMaxConcurrency: 3 }).maxConcurrency).toBe(3);
});

it("shows health settings as Go prints durations, with a path for HTTP apps only", () => {
  const health = { probeInterval: "5s", probeTimeout: "500ms", threshold: 3 };
  expect(appConnectionMetadata({ ...options, appHealth }).health).toEqual({ path: "/healthz", ...health });
  expect(appConnectionMetadata({ ...options, appHealth, appProtocol: "grpcs" }).health).toEqual(health);
});
