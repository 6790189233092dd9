import { expect, it } from "vitest";
import { sidecarArguments } from "../dev/sidecar-arguments.ts";
import { appPlan } from "../dev/recording-console.fixture.ts";
import { fakeHost } from "./fake-host.fixture.ts";
import { hostedSession, showsColors } from "./hosted-session.ts";

const ports = { http: 3500, grpc: 50_001, internalGrpc: 3, metrics: 9090 };

it("a plan's flags are read back as they were meant, whatever its paths hold", () => {
  const paths = ["/plain", "/with, comma", '/with "quotes"', "/with space"];
  const plan = appPlan("orders", {
    appProtocol: "grpc",
    appChannelAddress: "localhost",
    resourcesPaths: paths,
    configPaths: paths,
    sidecarFlags: ["--log-level=debug", "--app-max-concurrency=2"],
  });
  const { options, logLevel } = hostedSession(fakeHost().host).readSidecarFlags(
    sidecarArguments(plan, ports, ["--log-level=error", "--dapr-listen-addresses=127.0.0.1"]),
  );
  expect(options).toMatchObject({
    appId: "orders",
    appPort: 3000,
    appProtocol: "grpc",
    appChannelAddress: "localhost",
    httpPort: 3500,
    grpcPort: 50_001,
    internalGrpcPort: 3,
    resourcesPaths: paths,
    configPaths: paths,
    listenAddresses: ["127.0.0.1"],
    appMaxConcurrency: 2,
  });
  expect(options.metrics.port).toBe(9090);
  expect(logLevel).toBe("debug");
});

it("an app without a port has no channel", () => {
  const plan = appPlan("orders", { appPort: undefined });
  const { options } = hostedSession(fakeHost().host).readSidecarFlags(sidecarArguments(plan, ports, []));
  expect(options.appPort).toBeUndefined();
});

it.each([
  [{ FORCE_COLOR: "1" }, true],
  [{ FORCE_COLOR: "0" }, false],
  [{ FORCE_COLOR: "1", NO_COLOR: "1" }, false],
])("colours with %o: %s", (env, colors) => {
  expect(showsColors({ ...fakeHost().host, env })).toBe(colors);
});
