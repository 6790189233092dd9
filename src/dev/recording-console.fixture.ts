import type { AppPlan, LineConsole, RunPlan } from "./types.ts";

/** A console that keeps what it was told: `<level> <app>: <text>`. */
export function recordingConsole(): LineConsole & { readonly said: string[] } {
  const said: string[] = [];
  return {
    said,
    app: (appId, stream, line) => void said.push(`${stream} ${appId}: ${line}`),
    sidecar: (appId, line) => void said.push(`sidecar ${appId}: ${line}`),
    say: (level, appId, text) => void said.push(`${level} ${appId ?? "-"}: ${text}`),
  };
}

/** An app of a plan; what is not given is a Node program on port 3000. */
export function appPlan(appId: string, more: Partial<AppPlan> = {}): AppPlan {
  return {
    appId,
    directory: `/apps/${appId}`,
    command: ["node", "app.js"],
    env: {},
    appPort: 3000,
    appProtocol: "http",
    appChannelAddress: "127.0.0.1",
    ports: { http: 3500, grpc: 0, internalGrpc: 0, metrics: 0 },
    resourcesPaths: [],
    configPaths: [],
    sidecarFlags: [],
    appLog: "console",
    sidecarLog: "console",
    logDirectory: `/apps/${appId}/.dapr/logs`,
    ...more,
  };
}

export function runPlan(apps: readonly AppPlan[], runFile: string | undefined): RunPlan {
  return { name: "apps", runFile, apps, warnings: [] };
}
