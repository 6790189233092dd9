import { expect, it } from "vitest";
import { hostAddress } from "./host-address.ts";

it.each(["127.0.0.1", "localhost", "[::1]"])("a sidecar whose internal port is on %s is reached there", (listen) => {
  expect(hostAddress(listen, "10.0.0.1")).toBe(listen);
});

it("the environment's word counts for any other", () => {
  expect(hostAddress("", "10.0.0.1")).toBe("10.0.0.1");
  expect(hostAddress("0.0.0.0", "10.0.0.1")).toBe("10.0.0.1");
});

it("without it an address of the machine is found", () => {
  expect(hostAddress("", "")).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
});
