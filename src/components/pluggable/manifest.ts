import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { errorMessage } from "../../kit/error-message.ts";
import type { Clock } from "../../kit/clock.ts";
import type { Logger } from "../../kit/logger.ts";
import type { Transport } from "../../net/h2/transport.ts";
import type { ComponentManifest } from "../spi/component.ts";
import { SOCKETS_MAX } from "./limits.ts";

/** Where Dapr looks for sockets unless `DAPR_COMPONENTS_SOCKETS_FOLDER` names another folder. */
export const SOCKETS_FOLDER_DEFAULT = "/tmp/dapr-components-sockets";

export interface PluggableOptions {
  readonly folder: string;
  readonly transport: Transport;
  /** Bytes of one message of a component. */
  readonly messageBytesMax: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * The manifests of the components behind the sockets of a folder: `state.<name>`, `pubsub.<name>`, `bindings.<name>` and
 * `secretstores.<name>`, the name being the file's without its extension. No folder, or an empty one, costs one look.
 * Sockets that do not answer are told in the log and left out.
 */
export async function pluggableManifests(options: PluggableOptions): Promise<readonly ComponentManifest[]> {
  const logger = options.logger.scope("pluggable-components-discovery");
  const sockets = await socketsIn(options.folder, logger);
  if (sockets.length === 0) {
    return [];
  }
  const { discover } = await import("./discovery.ts");
  return discover(sockets, options);
}

async function socketsIn(folder: string, logger: Logger): Promise<readonly string[]> {
  let entries;
  try {
    entries = await readdir(folder, { withFileTypes: true });
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) {
      logger.error(`could not list pluggable components unix sockets: ${errorMessage(error)}`);
    }
    return [];
  }
  const sockets: string[] = [];
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isSocket()) {
      sockets.push(path);
    } else if (!entry.isDirectory()) {
      logger.warn(`could not use socket for file ${path}`);
    }
  }
  if (sockets.length > SOCKETS_MAX) {
    logger.error(
      `the folder ${folder} has ${sockets.length} sockets, more than the ${SOCKETS_MAX} that pluggable components may have: none is used. Give DAPR_COMPONENTS_SOCKETS_FOLDER a folder with theirs only`,
    );
    return [];
  }
  return sockets.sort();
}
