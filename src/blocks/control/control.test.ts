import { describe, expect, it } from "vitest";
import { commonErrors } from "../../errors/catalogue/common.ts";
import { healthErrors } from "../../errors/catalogue/health.ts";
import { testControl } from "./control.fixture.ts";
import { EXTENDED_METADATA_ENTRIES_MAX } from "./metadata.ts";

describe("checkHealth", () => {
  it("names what is not ready", () => {
    const { control, runtime } = testControl();
    expect(() => control.checkHealth(undefined)).toThrow("dapr is not ready: [runtime]");
    runtime.ready();
    expect(() => control.checkHealth(undefined)).not.toThrow();
  });

  it("compares an app id, even an empty one, once ready", () => {
    const { control, runtime } = testControl();
    expect(() => control.checkHealth("other")).toThrow(
      expect.objectContaining({ entry: healthErrors.notReady }) as Error,
    );
    runtime.ready();
    expect(() => control.checkHealth("app")).not.toThrow();
    for (const appId of ["other", "", "APP"]) {
      expect(() => control.checkHealth(appId)).toThrow(
        expect.objectContaining({ entry: healthErrors.appIdNotMatch }) as Error,
      );
    }
  });

  it("is apart from outbound health", () => {
    const { control, outbound } = testControl();
    expect(() => control.checkOutboundHealth()).toThrow("dapr outbound is not ready");
    outbound.ready();
    expect(() => control.checkOutboundHealth()).not.toThrow();
    expect(() => control.checkHealth(undefined)).toThrow();
  });
});

describe("shutdown", () => {
  it("begins to stop at once", () => {
    const { control, asked } = testControl();
    control.shutdown(false);
    expect(asked).toEqual(["stop"]);
  });

  it("leaves a forced exit time for its answer", () => {
    const { control, clock, asked } = testControl();
    control.shutdown(true);
    clock.advance(99);
    expect(asked).toEqual([]);
    clock.advance(1);
    expect(asked).toEqual(["exit"]);
  });
});

it("setMetadata refuses a key that there is no room for, and takes a known one", () => {
  const { control } = testControl();
  for (let index = 0; index < EXTENDED_METADATA_ENTRIES_MAX; index += 1) {
    control.setMetadata(`key-${index}`, "old");
  }
  expect(() => control.setMetadata("one-more", "x")).toThrow(
    expect.objectContaining({ entry: commonErrors.badRequest }) as Error,
  );
  control.setMetadata("key-0", "new");
  expect(control.metadata().extended["key-0"]).toBe("new");
});
