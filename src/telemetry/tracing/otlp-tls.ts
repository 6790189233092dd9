import { readFile } from "node:fs/promises";
import { type OtlpSettings, TracingSettingsError } from "./settings.ts";

/** What a connection to a collector is secured with, PEM; what is absent is the system's. */
export interface OtlpTls {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** @throws TracingSettingsError for a file that cannot be read */
export async function readOtlpTls({ files, isSecure }: OtlpSettings): Promise<OtlpTls> {
  const tls: Record<string, string> = {};
  for (const [name, path] of Object.entries(files)) {
    if (isSecure && path !== "") {
      try {
        tls[name] = await readFile(path, "utf8");
      } catch (cause) {
        throw new TracingSettingsError(`OTEL_EXPORTER_OTLP_*CERTIFICATE: cannot read ${path}: ${String(cause)}`, {
          cause,
        });
      }
    }
  }
  return tls;
}
