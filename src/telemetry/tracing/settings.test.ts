import { describe, expect, it, test } from "vitest";
import { traceResource } from "./resource.ts";
import { NOTHING_WRITTEN, tracingSettings, type WrittenTracing } from "./settings.ts";

const written = (otel: Partial<WrittenTracing["otel"]> = {}, samplingRate = ""): WrittenTracing => ({
  ...NOTHING_WRITTEN,
  samplingRate,
  otel: { ...NOTHING_WRITTEN.otel, ...otel },
});

describe("an endpoint of the Configuration", () => {
  const otel = { endpointAddress: "collector:4317", protocol: "grpc" };

  it("counts before the environment's", () => {
    const settings = tracingSettings(written(otel, "0.5"), { OTEL_EXPORTER_OTLP_ENDPOINT: "https://other:4317" });
    expect(settings).toMatchObject({
      samplingRate: "0.5",
      otlp: { endpoint: "collector:4317", protocol: "grpc", isSecure: true, headers: [], timeoutMs: undefined },
    });
  });

  it("keeps its own headers and timeout, and takes the environment's where it has none", () => {
    const environment = { OTEL_EXPORTER_OTLP_TRACES_HEADERS: "a=1", OTEL_EXPORTER_OTLP_TIMEOUT: "500" };
    expect(tracingSettings(written({ ...otel, headers: ["B=2"], timeoutMs: 7 }), environment).otlp).toMatchObject({
      headers: [["b", "2"]],
      timeoutMs: 7,
    });
    expect(tracingSettings(written(otel), environment).otlp).toMatchObject({ headers: [["a", "1"]], timeoutMs: 500 });
  });

  it("is not used without a protocol, and refused with an unknown one", () => {
    expect(tracingSettings(written({ ...otel, protocol: "" }), {}).otlp).toBeUndefined();
    expect(() => tracingSettings(written({ ...otel, protocol: "udp" }), {})).toThrow(
      "invalid protocol udp provided for Otel endpoint",
    );
  });
});

describe("an endpoint of the environment", () => {
  it("samples everything and takes the form for traces before the general one", () => {
    const settings = tracingSettings(written(), {
      OTEL_EXPORTER_OTLP_ENDPOINT: "https://general:4317",
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "https://traces:4318",
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/protobuf",
      OTEL_EXPORTER_OTLP_HEADERS: "x-key=a%20b, y = 2",
    });
    expect(settings).toMatchObject({
      samplingRate: "1",
      otlp: {
        endpoint: "traces:4318",
        protocol: "http",
        isSecure: true,
        headers: [
          ["x-key", "a b"],
          ["y", "2"],
        ],
      },
    });
  });

  it("leaves a rate that is set", () => {
    expect(tracingSettings(written({}, "0"), { OTEL_EXPORTER_OTLP_ENDPOINT: "c:1" }).samplingRate).toBe("0");
  });

  test.each([
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: "c:4317" }, "grpc", true],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: "http://c:4317" }, "grpc", false],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: "c:4317", OTEL_EXPORTER_OTLP_INSECURE: "true" }, "grpc", false],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: "c:4317", OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: "http/json" }, "http", true],
  ])("%j", (environment, protocol, isSecure) => {
    expect(tracingSettings(written(), environment).otlp).toMatchObject({ endpoint: "c:4317", protocol, isSecure });
  });

  test.each([
    [{ OTEL_EXPORTER_OTLP_HEADERS: "novalue" }, 'OTEL_EXPORTER_OTLP_HEADERS: "novalue" is no name=value'],
    [{ OTEL_EXPORTER_OTLP_HEADERS: "a=%zz" }, 'OTEL_EXPORTER_OTLP_HEADERS: "%zz" is not percent-encoded'],
    [{ OTEL_EXPORTER_OTLP_TIMEOUT: "5s" }, 'OTEL_EXPORTER_OTLP_TIMEOUT: "5s" is no number of milliseconds'],
  ])("%j cannot be used", (environment, text) => {
    expect(() => tracingSettings(written(), environment)).toThrow(text);
  });
});

it("nothing is exported where nobody says where to", () => {
  expect(tracingSettings(written(), {})).toEqual({
    samplingRate: "",
    stdout: false,
    zipkinEndpoint: "",
    otlp: undefined,
  });
});

describe("the resource", () => {
  it("is the app, unless the environment names it", () => {
    expect([...traceResource("orders", {})]).toEqual([["service.name", "orders"]]);
    const environment = {
      OTEL_SERVICE_NAME: "shop",
      OTEL_RESOURCE_ATTRIBUTES: "service.namespace=production,k8s.pod.name=pod%2C1, service.name=other",
    };
    expect(Object.fromEntries(traceResource("orders", environment))).toEqual({
      "service.name": "shop",
      "service.namespace": "production",
      "k8s.pod.name": "pod,1",
    });
  });

  it("refuses what is no list of pairs", () => {
    expect(() => traceResource("orders", { OTEL_RESOURCE_ATTRIBUTES: "a" })).toThrow(
      'OTEL_RESOURCE_ATTRIBUTES: "a" is no key=value',
    );
  });
});
