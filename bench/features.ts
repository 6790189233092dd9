import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Candidate } from "./candidate.ts";
import { sharedFlags } from "./control-plane.ts";
import { freePort, type RunningProcess, startProcess } from "./running-process.ts";

/** What stands beside the sidecars of a candidate, and what they must be told of it. */
export interface Surroundings {
  readonly flags: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

const TRUST_DOMAIN = "localhost";
const CONTROL_PLANE_NAMESPACE = "default";

/**
 * With `tracing` every request is sampled and its spans go over OTLP, HTTP and protobuf, to a sink that only reads them. With
 * `mtls` a sentry signs for the sidecars. What stands beside them is not measured.
 */
export async function startSurroundings(candidate: Candidate): Promise<Surroundings> {
  const folder = mkdtempSync(join(tmpdir(), "outrigger-bench-features-"));
  const running: RunningProcess[] = [];
  const stop = async (): Promise<void> => {
    for (const process of running) {
      await process.stop();
    }
    rmSync(folder, { recursive: true });
  };
  try {
    const sections: string[] = [];
    const flags: string[] = [];
    let environment = {};
    if (candidate.features.has("tracing")) {
      const sink = await startSpanSink();
      running.push(sink);
      sections.push(
        `  tracing: { samplingRate: "1", otel: { endpointAddress: "127.0.0.1:${sink.port}", isSecure: false, protocol: http } }`,
      );
    }
    if (candidate.features.has("no-metrics")) {
      sections.push("  metrics: { enabled: false }");
    }
    if (candidate.features.has("mtls")) {
      const sentry = await startSentry(candidate, folder);
      running.push(sentry);
      flags.push(
        "--enable-mtls=true",
        `--sentry-address=127.0.0.1:${sentry.port}`,
        `--control-plane-trust-domain=${TRUST_DOMAIN}`,
        `--control-plane-namespace=${CONTROL_PLANE_NAMESPACE}`,
      );
      environment = { DAPR_TRUST_ANCHORS: readFileSync(join(folder, "issuer", "ca.crt"), "utf8") };
    }
    if (sections.length > 0) {
      const file = join(folder, "config.yaml");
      writeFileSync(file, configuration(sections));
      flags.push(`--config=${file}`);
    }
    return { flags, environment, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function configuration(sections: readonly string[]): string {
  return `apiVersion: dapr.io/v1alpha1
kind: Configuration
metadata: { name: bench }
spec:
${sections.join("\n")}
`;
}

async function startSpanSink(): Promise<RunningProcess> {
  const port = await freePort();
  const script = fileURLToPath(new URL("span-sink.mjs", import.meta.url));
  return await startProcess(process.execPath, [script, String(port)], port, "/", 200);
}

async function startSentry({ path, sentry }: Candidate, folder: string): Promise<RunningProcess> {
  const [port, health, metrics] = await Promise.all([freePort(), freePort(), freePort()]);
  const issuer = join(folder, "issuer");
  mkdirSync(issuer);
  const file = join(folder, "sentry.yaml");
  writeFileSync(file, configuration(["  mtls: { enabled: true }"]));
  const args = [
    ...(sentry === undefined ? ["sentry"] : []),
    ...sharedFlags(port, health, metrics),
    `--issuer-credentials=${issuer}`,
    `--trust-domain=${TRUST_DOMAIN}`,
    `--config=${file}`,
  ];
  const environment = { NAMESPACE: CONTROL_PLANE_NAMESPACE };
  return { ...(await startProcess(sentry ?? path, args, health, "/healthz", 200, environment)), port };
}
