import { describe, expect, it } from "vitest";
import { apiAddresses, tcpAddress } from "./listeners.ts";

const TCP = {
  listenAddresses: ["127.0.0.1", "[::1]"],
  unixDomainSocket: "",
  appId: "app",
  port: 3500,
  kind: "http",
} as const;

describe("apiAddresses", () => {
  it("are the listen addresses with the port", () => {
    expect(apiAddresses(TCP)).toEqual([
      { host: "127.0.0.1", port: 3500 },
      { host: "::1", port: 3500 },
    ]);
  });

  it("are all interfaces where none is named", () => {
    expect(apiAddresses({ ...TCP, listenAddresses: [] })).toEqual([{ host: "::", port: 3500 }]);
  });

  it("are one socket of the app in the socket folder", () => {
    expect(apiAddresses({ ...TCP, unixDomainSocket: "/run/dapr", kind: "grpc" })).toEqual([
      { path: "/run/dapr/dapr-app-grpc.socket" },
    ]);
  });
});

it("tcpAddress takes brackets off and reads nothing as every interface", () => {
  expect([tcpAddress("[fe80::1]", 1), tcpAddress("", 2), tcpAddress("host", 3)]).toEqual([
    { host: "fe80::1", port: 1 },
    { host: "::", port: 2 },
    { host: "host", port: 3 },
  ]);
});
