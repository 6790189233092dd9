import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { SPAN_KIND } from "../../src/kit/trace-context.ts";
import { systemClock } from "../../src/kit/system-clock.ts";
import { systemRandom } from "../../src/kit/random.ts";
import { OTHER_CERT, OTHER_KEY, SELF_SIGNED_CERT } from "../../src/net/http/self-signed.fixture.ts";
import { createH2Transport } from "../../src/net/h2/protocol/transport.ts";
import { NOTHING_WRITTEN, tracingSettings } from "../../src/telemetry/tracing/settings.ts";
import { openTracing } from "../../src/telemetry/tracing/tracing.ts";
import { recordingLogger } from "../harness/recording-logger.ts";
import { type Folder, temporaryFolder } from "../harness/resources.ts";
import { startTraceCollector, type TraceCollector } from "../harness/trace-collector.ts";

/** Opens tracing as the environment says, makes one span and closes. @returns what was logged */
async function exportOne(environment: Readonly<Record<string, string>>): Promise<readonly string[]> {
  const logger = recordingLogger();
  const tracing = await openTracing(tracingSettings(NOTHING_WRITTEN, environment), {
    serviceName: "orders",
    environment,
    transport: createH2Transport(),
    clock: systemClock,
    random: systemRandom,
    logger,
  });
  tracing.blocks?.start("a span", SPAN_KIND.client, undefined).end();
  await tracing.close();
  return logger.lines.map(({ message }) => message);
}

describe("over TLS", () => {
  let collector: TraceCollector;
  let folder: Folder;
  beforeEach(async () => {
    folder = await temporaryFolder();
    collector = await startTraceCollector({ cert: OTHER_CERT, key: OTHER_KEY });
  });
  afterEach(async () => {
    await collector[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  });

  const environmentOf = (protocol: "grpc" | "http", certificate: string): Record<string, string> => ({
    OTEL_EXPORTER_OTLP_ENDPOINT: `https://localhost:${protocol === "grpc" ? collector.grpcPort : collector.httpPort}`,
    OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
    OTEL_EXPORTER_OTLP_CERTIFICATE: certificate,
  });

  it.each(["grpc", "http"] as const)("a collector is trusted by its certificate's file: %s", async (protocol) => {
    await exportOne(environmentOf(protocol, await folder.write("ca.pem", OTHER_CERT)));
    expect(collector.spans).toMatchObject([{ via: protocol, service: "orders", name: "a span" }]);
  });

  it.each(["grpc", "http"] as const)("one that another has signed gets nothing: %s", async (protocol) => {
    const lines = await exportOne(environmentOf(protocol, await folder.write("ca.pem", SELF_SIGNED_CERT)));
    expect(collector.spans).toEqual([]);
    expect(lines.join("\n")).toContain("1 spans were not exported to otlp");
  });

  it("a file that is not there keeps tracing from starting, and is named", async () => {
    await expect(exportOne(environmentOf("grpc", `${folder.path}/none.pem`))).rejects.toThrow("none.pem");
  });
});

it("a collector that does not want a batch gets it once", async () => {
  await using collector = await startTraceCollector();
  collector.refusals.push(400);
  const environment = {
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${collector.httpPort}`,
    OTEL_EXPORTER_OTLP_PROTOCOL: "http/protobuf",
  };
  const lines = await exportOne(environment);
  expect([collector.spans.length, collector.headers.length]).toEqual([0, 1]);
  expect(lines.join("\n")).toContain("status 400");
});
