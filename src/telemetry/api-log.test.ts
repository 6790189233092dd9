import { describe, expect, it } from "vitest";
import { GRPC_STATUS } from "../errors/grpc-status.ts";
import { VirtualClock } from "../kit/virtual-clock.fixture.ts";
import { ApiLog, type HttpApiCall } from "./api-log.ts";
import { createLogger } from "./log/logger.ts";

const CALL: HttpApiCall = {
  method: "GET",
  path: "/v1.0/state/my%20store/key?x=1",
  name: "GetState",
  healthCheck: false,
  userAgent: "curl/8",
  code: 200,
  sizeBytes: 12,
  durationMs: 3.9,
};

function apiLogInto(lines: string[], options: { obfuscateUrls?: boolean; omitHealthChecks?: boolean } = {}): ApiLog {
  const clock = new VirtualClock(0);
  const sink = { write: (line: string) => void lines.push(line), close: () => Promise.resolve() };
  const logger = createLogger({ appId: "a", instance: "vm", version: "1", level: "error", asJson: false, sink, clock });
  return new ApiLog(logger, { obfuscateUrls: false, omitHealthChecks: false, ...options });
}

describe("ApiLog", () => {
  it("writes a line per HTTP call, whatever the log level", () => {
    const lines: string[] = [];
    apiLogInto(lines).http(CALL);
    expect(lines).toEqual([
      'time="1970-01-01T00:00:00Z" level=info msg="HTTP API Called" app_id=a code=200 duration=3 instance=vm ' +
        'method="GET /v1.0/state/my store/key" scope=dapr.runtime.http-info size=12 type=log useragent=curl/8 ver=1\n',
    ]);
  });

  it("shows operations only where URLs are obfuscated, and no empty user agent", () => {
    const lines: string[] = [];
    apiLogInto(lines, { obfuscateUrls: true }).http({ ...CALL, userAgent: "" });
    expect(lines[0]).toContain(" method=GetState ");
    expect(lines[0]).not.toContain("useragent");
  });

  it("reads the bytes of a user agent as UTF-8", () => {
    const lines: string[] = [];
    apiLogInto(lines).http({ ...CALL, userAgent: Buffer.from("curl é").toString("latin1") });
    apiLogInto(lines).http({ ...CALL, userAgent: "curl ☃" });
    expect(lines[0]).toContain(' useragent="curl é" ');
    expect(lines[1]).toContain(' useragent="curl ☃" ');
  });

  it.each([
    [undefined, "/v1.0/invoke/my%2Dapp/method/a/b", "InvokeService/my-app"],
    ["InvokeService", "/v1.0/invoke/shop/method", "InvokeService/shop"],
    [undefined, "/some/path", "InvokeService"],
  ])("tells the app of an obfuscated invocation (%s %s)", (name, path, shown) => {
    const lines: string[] = [];
    apiLogInto(lines, { obfuscateUrls: true }).http({ ...CALL, name, path });
    expect(lines[0]).toContain(` method=${shown} `);
  });

  it("leaves out health checks where asked", () => {
    const lines: string[] = [];
    const probe = { ...CALL, healthCheck: true };
    apiLogInto(lines, { omitHealthChecks: true }).http(probe);
    expect(lines).toEqual([]);
    apiLogInto(lines).http(probe);
    expect(lines).toHaveLength(1);
  });

  it("writes a line per gRPC call", () => {
    const lines: string[] = [];
    apiLogInto(lines).grpc({
      method: "/dapr.proto.runtime.v1.Dapr/GetState",
      code: GRPC_STATUS.NOT_FOUND,
      durationMs: 0.2,
      userAgent: "grpc-go/1.70",
    });
    expect(lines[0]).toBe(
      'time="1970-01-01T00:00:00Z" level=info msg="gRPC API Called" app_id=a code=5 duration=0 instance=vm ' +
        "method=/dapr.proto.runtime.v1.Dapr/GetState scope=dapr.runtime.grpc.api-info type=log useragent=grpc-go/1.70 ver=1\n",
    );
  });
});
