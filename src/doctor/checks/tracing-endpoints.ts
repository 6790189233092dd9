import { TracingSettingsError, tracingSettings } from "../../telemetry/tracing/settings.ts";
import { type BackEnd, hostPort } from "../back-ends.ts";
import type { ExaminedApp } from "../examination.ts";

const OTLP_PORTS = { grpc: 4_317, http: 4_318 } as const;
const ZIPKIN_PORT = 9_411;

/** Where an app's spans go; what cannot be read is told with its identity's files. */
export function tracingEndpoints({ project, environment }: ExaminedApp): readonly BackEnd[] {
  if (project === undefined || project.configuration.tracing.samplingRate === "0") {
    return [];
  }
  try {
    const { otlp, zipkinEndpoint } = tracingSettings(project.configuration.tracing, environment);
    const collector = otlp && hostPort(otlp.endpoint, OTLP_PORTS[otlp.protocol]);
    const zipkin = zipkinEndpoint === "" ? undefined : hostPort(zipkinEndpoint, ZIPKIN_PORT);
    return [collector, zipkin].filter((backEnd) => backEnd !== undefined);
  } catch (error) {
    if (!(error instanceof TracingSettingsError)) throw error;
    return [];
  }
}
