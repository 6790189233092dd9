import { parseGoDuration } from "../kit/duration.ts";
import { nameValuePairs } from "./name-value-pair.ts";
import { componentLogName, type NameValuePair, type Resource } from "./resource.ts";
import { objectFields, toResource } from "./object.ts";
import { boolean, struct, text } from "./shape.ts";
import type { Shape } from "./shape.ts";

/** A component that does not say how long its `init` may take gets this long. */
export const COMPONENT_INIT_TIMEOUT_MS = 5_000;

/** `kind: Component` (compatibility.md 4.1). */
export interface ComponentResource extends Resource {
  readonly type: string;
  /** Empty: none was written. */
  readonly version: string;
  readonly ignoreErrors: boolean;
  readonly initTimeoutMs: number;
  readonly metadata: readonly NameValuePair[];
  /** `auth.secretStore`; empty: none was written. */
  readonly secretStore: string;
  /** `name (type/version)`, for log lines and errors. */
  readonly logName: string;
}

const shape = struct({
  ...objectFields,
  spec: struct({ type: text, version: text, ignoreErrors: boolean, metadata: nameValuePairs, initTimeout: text }),
  auth: struct({ secretStore: text }),
});

export const component: Shape<ComponentResource> = (node, reading, path) => {
  const written = shape(node, reading, path);
  const resource = toResource(written, node);
  const type = written.spec?.type ?? "";
  const version = written.spec?.version ?? "";
  return {
    ...resource,
    type,
    version,
    ignoreErrors: written.spec?.ignoreErrors ?? false,
    initTimeoutMs: initTimeoutMs(written.spec?.initTimeout ?? "", (message) => reading.report(node.place, message)),
    metadata: written.spec?.metadata ?? [],
    secretStore: written.auth?.secretStore ?? "",
    logName: componentLogName(resource.name, type, version),
  };
};

/** Dapr takes its default for a timeout that it cannot read. */
function initTimeoutMs(written: string, report: (message: string) => void): number {
  if (written === "") {
    return COMPONENT_INIT_TIMEOUT_MS;
  }
  try {
    return parseGoDuration(written);
  } catch {
    report(
      `spec.initTimeout "${written}" is no duration such as 30s, the default of ${COMPONENT_INIT_TIMEOUT_MS / 1000}s counts`,
    );
    return COMPONENT_INIT_TIMEOUT_MS;
  }
}
