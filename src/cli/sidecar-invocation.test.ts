import { describe, expect, it } from "vitest";
import { OptionsError, parseSidecarFlags } from "./sidecar-invocation.ts";
import type { Environment } from "./environment.ts";

function run(args: readonly string[], env: Environment = {}) {
  const invocation = parseSidecarFlags(args, env);
  if (invocation.action !== "run") {
    throw new Error(`asked for ${invocation.action}`);
  }
  return invocation;
}

const optionsOf = (...args: string[]) => run(["--app-id=a", ...args]).options;

function refusal(args: readonly string[]): string {
  try {
    parseSidecarFlags(args, {});
  } catch (error) {
    expect(error).toBeInstanceOf(OptionsError);
    return (error as OptionsError).message;
  }
  return "accepted";
}

/** What Dapr's integration suite passes to every daprd (tests/integration/framework/process/daprd/daprd.go). */
const SUITE_ARGS = [
  "--log-level=debug",
  "--app-id=myapp",
  "--app-protocol=http",
  "--dapr-grpc-port=40001",
  "--dapr-http-port=40002",
  "--dapr-internal-grpc-port=40003",
  "--dapr-internal-grpc-listen-address=127.0.0.1",
  "--dapr-listen-addresses=127.0.0.1",
  "--dapr-public-port=40004",
  "--dapr-public-listen-address=127.0.0.1",
  "--metrics-port=40005",
  "--metrics-listen-address=127.0.0.1",
  "--profile-port=40006",
  "--enable-app-health-check=false",
  "--app-health-probe-interval=0",
  "--app-health-threshold=0",
  "--mode=standalone",
  "--enable-mtls=false",
  "--enable-api-logging=true",
  "--enable-profiling",
];

describe("parseSidecarFlags", () => {
  it("has daprd's defaults", () => {
    expect(run(["--app-id", "a"])).toEqual({
      action: "run",
      notices: [],
      warnings: [],
      log: { level: "info", asJson: false, file: "" },
      http2: "own",
      options: {
        appId: "a",
        namespace: "",
        appPort: undefined,
        appProtocol: "http",
        appChannelAddress: "127.0.0.1",
        appMaxConcurrency: -1,
        httpPort: 3500,
        grpcPort: 50001,
        internalGrpcPort: 0,
        publicPort: undefined,
        listenAddresses: [],
        internalListenAddress: "",
        publicListenAddress: "",
        unixDomainSocket: "",
        resourcesPaths: [],
        configPaths: [],
        hotReload: { reconcileMs: 60_000 },
        allowedOrigins: "",
        maxBodyBytes: 4_194_304,
        readBufferBytes: 4_096,
        gracefulShutdownMs: 5_000,
        blockShutdownMs: undefined,
        apiLogging: undefined,
        appHealth: { enabled: false, path: "/healthz", probeIntervalMs: 5_000, probeTimeoutMs: 500, threshold: 3 },
        bindingDiscoveryTimeoutMs: 3_000,
        disableInitEndpoints: [],
        h2cDisabled: false,
        placement: { addresses: [], disseminationTimeoutMs: 30_000 },
        scheduler: { addresses: [], jobStreams: 3 },
        mtls: undefined,
        metrics: { enabled: true, port: 9090, listenAddress: "0.0.0.0" },
        apiToken: "",
        appToken: "",
        hostAddress: "",
        logLevel: "info",
      },
    });
  });

  it("takes all that the integration suite passes", () => {
    const { options, log, warnings } = run([
      ...SUITE_ARGS,
      "--app-port=8080",
      "--resources-path=/r1",
      "--resources-path=/r2",
      "--config=/c.yaml",
    ]);
    expect(log.level).toBe("debug");
    expect(options).toMatchObject({
      httpPort: 40002,
      grpcPort: 40001,
      internalGrpcPort: 40003,
      publicPort: 40004,
      appPort: 8080,
      listenAddresses: ["127.0.0.1"],
      apiLogging: true,
      resourcesPaths: ["/r1", "/r2"],
      configPaths: ["/c.yaml"],
      appHealth: { enabled: false, probeIntervalMs: 5_000, threshold: 3 },
    });
    expect(warnings).toEqual([expect.stringContaining("pprof is not served: nothing listens on port 40006")]);
  });

  it("reads the environment it is given", () => {
    const env = {
      NAMESPACE: "shop",
      DAPR_API_TOKEN: "t1",
      APP_API_TOKEN: "t2",
      DAPR_HOST_IP: "10.0.0.7",
      DAPR_HTTP_DISABLE_H2C: "Yes",
    };
    expect(run(["--app-id=a"], env).options).toMatchObject({
      namespace: "shop",
      apiToken: "t1",
      appToken: "t2",
      hostAddress: "10.0.0.7",
      h2cDisabled: true,
    });
  });

  it.each([
    [["--version"], { action: "version" }],
    [["--build-info"], { action: "build-info" }],
    [["--wait", "--dapr-http-port=1234"], { action: "wait", httpPort: "1234" }],
    [["--help"], { action: "help" }],
  ])("%j needs no app id", (args, invocation) => {
    expect(parseSidecarFlags(args, {})).toEqual(invocation);
  });

  it("reads sizes, the deprecated flags only where the new ones are not given", () => {
    expect(optionsOf("--max-body-size=1Ki", "--dapr-http-max-request-size=9").maxBodyBytes).toBe(1_024);
    expect(optionsOf("--dapr-http-max-request-size=2", "--dapr-http-read-buffer-size=8")).toMatchObject({
      maxBodyBytes: 2_097_152,
      readBufferBytes: 8_192,
    });
    expect(optionsOf("--dapr-http-max-request-size=-1", "--dapr-http-read-buffer-size=-1")).toMatchObject({
      maxBodyBytes: 4_194_304,
      readBufferBytes: 4_096,
    });
    expect(optionsOf("--max-body-size=0", "--read-buffer-size=0")).toMatchObject({
      maxBodyBytes: 0,
      readBufferBytes: 1_048_576,
    });
    expect(run(["--app-id=a", "--dapr-http-max-request-size=2"]).notices).toEqual([
      "Flag --dapr-http-max-request-size has been deprecated, use '--max-body-size 4Mi'",
    ]);
  });

  it("upgrades the protocol for --app-ssl with a warning", () => {
    expect(optionsOf("--app-ssl").appProtocol).toBe("https");
    expect(optionsOf("--app-ssl", "--app-protocol=GRPC").appProtocol).toBe("grpcs");
    expect(optionsOf("--app-ssl", "--app-protocol=h2c").appProtocol).toBe("h2c");
    expect(run(["--app-id=a", "--app-ssl"]).warnings).toEqual([
      "The 'app-ssl' flag is deprecated; use 'app-protocol=https' instead",
    ]);
  });

  it("takes values that make no sense for the default", () => {
    expect(optionsOf("--dapr-graceful-shutdown-seconds=-3").gracefulShutdownMs).toBe(5_000);
    expect(optionsOf("--dapr-graceful-shutdown-seconds=0").gracefulShutdownMs).toBe(0);
    expect(optionsOf("--app-max-concurrency=0").appMaxConcurrency).toBe(-1);
    expect(optionsOf("--app-health-probe-timeout=-1", "--app-health-threshold=2147483647").appHealth).toMatchObject({
      probeTimeoutMs: 500,
      threshold: 3,
    });
    expect(optionsOf("--app-port=0").appPort).toBeUndefined();
    expect(optionsOf("--dapr-internal-grpc-port=0").internalGrpcPort).toBe(0);
  });

  it("keeps three states of API logging and of the block before a stop", () => {
    expect([
      optionsOf().apiLogging,
      optionsOf("--enable-api-logging=false").apiLogging,
      optionsOf("--enable-api-logging").apiLogging,
    ]).toEqual([undefined, false, true]);
    expect([optionsOf().blockShutdownMs, optionsOf("--dapr-block-shutdown-duration=1m").blockShutdownMs]).toEqual([
      undefined,
      60_000,
    ]);
  });

  it("reads lists and the deprecated alias of the resources' path", () => {
    expect(optionsOf("--disable-init-endpoints= Config,,SUBSCRIBE").disableInitEndpoints).toEqual([
      "config",
      "subscribe",
    ]);
    expect(optionsOf("--dapr-listen-addresses=[::1],127.0.0.1").listenAddresses).toEqual(["[::1]", "127.0.0.1"]);
    expect(optionsOf("--components-path=/old").resourcesPaths).toEqual(["/old"]);
    expect(optionsOf("--components-path=/old", "--resources-path=/new").resourcesPaths).toEqual(["/new"]);
  });

  it("needs no metrics port where metrics are off", () => {
    expect(optionsOf("--enable-metrics=false", "--metrics-port=x").metrics).toMatchObject({ enabled: false });
  });

  it("takes the command line that `dapr run` gives to every sidecar", () => {
    const line =
      "--app-protocol http --log-level info --app-max-concurrency -1 --components-path components --max-body-size 4Mi " +
      "--read-buffer-size 4Ki --app-id a --app-port 0 --dapr-http-port 3500 --dapr-grpc-port 50001 --profile-port -1 " +
      "--metrics-port 9090 --dapr-internal-grpc-port 50002";
    expect(run(line.split(" ")).options).toMatchObject({
      appPort: undefined,
      appMaxConcurrency: -1,
      resourcesPaths: ["components"],
      httpPort: 3500,
      internalGrpcPort: 50_002,
    });
  });

  it.each([
    [[], "parameter app-id cannot be empty"],
    [["--app-id=a.b"], "parameter app-id cannot contain dots"],
    [
      ["--app-id=a", "--dapr-http-port=x"],
      'error parsing dapr-http-port flag: strconv.Atoi: parsing "x": invalid syntax',
    ],
    [
      ["--app-id=a", "--dapr-grpc-port="],
      'error parsing dapr-grpc-port flag: strconv.Atoi: parsing "": invalid syntax',
    ],
    [["--app-id=a", "--profile-port=x"], 'error parsing profile-port flag: strconv.Atoi: parsing "x": invalid syntax'],
    [
      ["--app-id=a", "--dapr-internal-grpc-port=x"],
      'error parsing dapr-internal-grpc-port: strconv.Atoi: parsing "x": invalid syntax',
    ],
    [
      ["--app-id=a", "--dapr-public-port=x"],
      'error parsing dapr-public-port: strconv.Atoi: parsing "x": invalid syntax',
    ],
    [["--app-id=a", "--app-port=70000"], "error parsing app-port: --app-port must be between 0 and 65535, not 70000"],
    [["--app-id=a", "--metrics-port=x"], 'failed to parse metrics port: strconv.Atoi: parsing "x": invalid syntax'],
    [["--app-id=a", "--app-port=3500"], "the 'dapr-http-port' argument value 3500 conflicts with 'app-port'"],
    [["--app-id=a", "--app-port=50001"], "the 'dapr-grpc-port' argument value 50001 conflicts with 'app-port'"],
    [["--app-id=a", "--app-protocol=smtp"], "invalid value for 'app-protocol': smtp"],
    [["--app-id=a", "--http2=spdy"], "invalid value for 'http2': spdy: it must be own or node"],
    [["--app-id=a", "--disable-init-endpoints=x"], "invalid value for 'disable-init-endpoints': x"],
    [
      ["--app-id=a", "--app-health-probe-interval=1", "--app-health-probe-timeout=1001"],
      "value for 'health-probe-timeout' must be smaller than 'health-probe-interval'",
    ],
  ])("refuses %j as the runtime does", (args, message) => {
    expect(refusal(args)).toBe(`Fatal error from runtime: ${message}`);
  });

  it.each([
    [
      ["--max-body-size=x"],
      "Failed to parse flags: invalid value for 'max-body-size' option: quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
    ],
    [
      ["--version", "--read-buffer-size=1m"],
      "Failed to parse flags: invalid value for 'read-buffer-size' option: cannot get bytes from resource quantity value '1m'",
    ],
    [
      ["--actors-disseminate-timeout=0s"],
      "Failed to parse flags: invalid value for 'actors-disseminate-timeout' option: must be positive, got 0s",
    ],
    [["--log-level=loud"], "invalid value for --log-level: loud"],
  ])("refuses %j before the runtime sees it", (args, message) => {
    expect(refusal(args)).toBe(message);
  });

  it("tells with what log a refusal is to be written", () => {
    expect(() => parseSidecarFlags(["--app-id=a.b", "--log-as-json"], {})).toThrow(
      expect.objectContaining({ appId: "a.b", asJson: true }),
    );
  });

  it.each([["--mode=kubernetes", "--mode asks for running in Kubernetes"]])(
    "refuses %s, which is not built yet, and says what to do",
    (flag, message) => {
      expect(() => optionsOf(flag)).toThrow(`Fatal error from runtime: ${message}`);
      expect(() => optionsOf(flag)).toThrow("is accepted");
    },
  );

  describe("mutual TLS", () => {
    const ENV = { DAPR_TRUST_ANCHORS: "PEM" };
    const mtlsOf = (args: readonly string[], env: Environment = ENV) =>
      run(["--app-id=a", "--enable-mtls", "--sentry-address=sentry:443", ...args], env).options.mtls;

    it("takes names, anchors and tokens from flags and environment", () => {
      expect(mtlsOf([])).toEqual({
        sentryAddress: "sentry:443",
        controlPlane: { trustDomain: "localhost", namespace: "default" },
        trustAnchors: "PEM",
        jwtAudiences: [],
        localIdentity: "",
        tokenFile: undefined,
      });
      const env = {
        ...ENV,
        DAPR_CONTROLPLANE_NAMESPACE: "dapr-system",
        DAPR_CONTROLPLANE_TRUST_DOMAIN: "cluster.local",
        SENTRY_LOCAL_IDENTITY: "ns:app",
        DAPR_SENTRY_TOKEN_FILE: "/token",
      };
      expect(mtlsOf(["--sentry-request-jwt-audiences=a,b"], env)).toMatchObject({
        controlPlane: { trustDomain: "cluster.local", namespace: "dapr-system" },
        jwtAudiences: ["a", "b"],
        localIdentity: "ns:app",
        tokenFile: "/token",
      });
      const flags = ["--control-plane-trust-domain=td", "--control-plane-namespace=ns"];
      expect(mtlsOf(flags, env)).toMatchObject({ controlPlane: { trustDomain: "td", namespace: "ns" } });
    });

    it("is off without its flag, whatever else is given", () => {
      expect(run(["--app-id=a", "--sentry-address=sentry:443"], ENV).options.mtls).toBeUndefined();
    });

    it.each<[readonly string[], Environment, string]>([
      [[], {}, "trust anchors are required"],
      [["--sentry-address="], ENV, "--enable-mtls needs the address of a sentry service"],
      [["--control-plane-trust-domain="], ENV, "control plane trust domain is required"],
      [["--control-plane-trust-domain=A"], ENV, "invalid control plane trust domain"],
      [["--control-plane-namespace=a/b"], ENV, 'failed to parse sentry SPIFFE ID: "a/b" is not a namespace'],
    ])("refuses %j with %j", (args, env, message) => {
      expect(() => mtlsOf(args, env)).toThrow(`Fatal error from runtime: ${message}`);
    });
  });

  it.each([
    ["--placement-host-address=a:50005, b:50005", ["a:50005", "b:50005"]],
    ["--actors-service=placement:a:50005", ["a:50005"]],
    ["--placement-host-address=''", []],
  ])("%s names the placement services", (flag, addresses) => {
    expect(optionsOf(flag)).toMatchObject({ placement: { addresses } });
  });

  it.each([
    "--placement-host-address=",
    "--placement-host-address=''",
    "--placement-host-address=,",
    '--placement-host-address=""',
    "--scheduler-host-address=",
    "--scheduler-host-address=,",
    "--sentry-address=",
  ])("takes %s for off", (flag) => {
    expect(optionsOf(flag).appId).toBe("a");
  });

  it.each([
    [["--scheduler-host-address=a:1,b:2"], {}, ["a:1", "b:2"]],
    [["--scheduler-host-address=, 'a:1"], {}, ["'a:1"]],
    [["--scheduler-host-address=''"], {}, []],
    [[], { DAPR_SCHEDULER_HOST_ADDRESS_DNS_A: "a:1,b:2" }, ["a:1", "b:2"]],
    [["--scheduler-host-address="], { DAPR_SCHEDULER_HOST_ADDRESS_DNS_A: "a:1" }, []],
  ])("finds schedulers by %j and %j", (args, env, addresses) => {
    const invocation = parseSidecarFlags(["--app-id=a", ...args], env);
    expect(invocation).toMatchObject({ options: { scheduler: { addresses } } });
  });

  it.each([
    ["1500ms", 1_500],
    ["0s", 3_000],
    ["-1s", 3_000],
  ])("gives the app %s to answer for its bindings as %i ms", (text, ms) => {
    expect(optionsOf(`--app-binding-options-timeout=${text}`).bindingDiscoveryTimeoutMs).toBe(ms);
  });

  it.each([
    "--control-plane-address=x:1",
    "--control-plane-trust-domain=x",
    "--control-plane-namespace=x",
    "--sentry-request-jwt-audiences=a,b",
    "--scheduler-job-streams=1",
    "--reminders-service=x",
    "--hot-reload-reconcile-interval=30s",
    "--app-binding-options-timeout=1s",
    "--disable-builtin-k8s-secret-store",
    "--log-file=/tmp/x",
  ])("takes %s, which asks for nothing that is missing", (flag) => {
    expect(optionsOf(flag).appId).toBe("a");
  });
});
