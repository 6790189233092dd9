import { describe, expect, it } from "vitest";
import { parseFlags } from "./flag-set.ts";
import { ROLE_FLAGS, roleLogLevel, roleSettings } from "./role-flags.ts";

describe("the flags that all roles share", () => {
  it("have Dapr's defaults", () => {
    const flags = parseFlags(ROLE_FLAGS, []);
    expect(roleSettings(flags)).toEqual({
      healthPort: 8080,
      healthListenAddress: "",
      metricsEnabled: true,
      metricsPort: 9090,
      metricsListenAddress: "0.0.0.0",
    });
    expect(roleLogLevel(flags)).toBe("info");
  });

  it("do not read the port of metrics that are off", () => {
    const flags = parseFlags(ROLE_FLAGS, ["--enable-metrics=false", "--metrics-port=none"]);
    expect(roleSettings(flags)).toMatchObject({ metricsEnabled: false, metricsPort: 0 });
  });

  it.each([
    ["--metrics-port=none", 'failed to parse metrics port: strconv.Atoi: parsing "none": invalid syntax'],
    ["--metrics-port=65536", "invalid value for --metrics-port: 65536 is not a port"],
    ["--healthz-port=-1", "invalid value for --healthz-port: -1 is not a port"],
  ])("refuse %s", (arg, message) => {
    expect(() => roleSettings(parseFlags(ROLE_FLAGS, [arg]))).toThrow(message);
  });

  it("refuse a level that there is none of", () => {
    expect(() => roleLogLevel(parseFlags(ROLE_FLAGS, ["--log-level=loud"]))).toThrow(
      "invalid value for --log-level: loud",
    );
  });
});
