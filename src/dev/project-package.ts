import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { errorMessage } from "../kit/error-message.ts";
import { appIdFault, PORT_MAX } from "./run-file-check.ts";
import { PlanError } from "./run-plan-error.ts";
import { APP_PROTOCOLS, appProtocolOf, isAppProtocol } from "./run-plan-sidecar.ts";
import type { AppPlan } from "./types.ts";

const PACKAGE_BYTES_MAX = 1024 * 1024;

/** The first that a package has is what starts it. */
const SCRIPTS = ["dev", "start"] as const;

/** A script that would start all this again. */
const STARTS_SIDECARS = /(?:^|[\s/])(?:outrigger|dapr)\s(?:[^&|;]*\s)?(?:dev|run)(?:\s|$)/;

/** An npm package that is an app. What only its author knows stands in its `outrigger` object. */
export interface PackageApp {
  readonly directory: string;
  readonly script: (typeof SCRIPTS)[number];
  /** `outrigger.appId`; undefined: not written. */
  readonly appId: string | undefined;
  /** `outrigger.appPort`; undefined: not written. */
  readonly appPort: number | undefined;
  /** `outrigger.appProtocol`, else http. */
  readonly appProtocol: AppPlan["appProtocol"];
}

/**
 * The app that a folder's `package.json` describes; undefined when there is none, or no script that starts one.
 * @throws PlanError for a file that cannot be read
 */
export async function readPackageApp(directory: string): Promise<PackageApp | undefined> {
  const file = join(directory, "package.json");
  const manifest = await readManifest(file);
  const scripts = objectOf(manifest?.["scripts"]);
  const script = SCRIPTS.find((name) => {
    const line = scripts[name];
    return typeof line === "string" && line.trim() !== "" && !STARTS_SIDECARS.test(line);
  });
  if (manifest === undefined || script === undefined) {
    return undefined;
  }
  const ours = objectOf(manifest["outrigger"]);
  return {
    directory,
    script,
    appId: appIdOf(ours["appId"], file),
    appPort: appPortOf(ours["appPort"], file),
    appProtocol: protocolOf(ours["appProtocol"], file),
  };
}

async function readManifest(file: string): Promise<Readonly<Record<string, unknown>> | undefined> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") {
      return undefined;
    }
    throw new PlanError(`${file} cannot be read: ${errorMessage(cause)}`, { cause });
  }
  if (text.length > PACKAGE_BYTES_MAX) {
    throw new PlanError(`${file} is larger than a package.json may be (${PACKAGE_BYTES_MAX} bytes)`);
  }
  try {
    return objectOf(JSON.parse(text.replace(/^\uFEFF/, "")));
  } catch (cause) {
    throw new PlanError(`${file} is no JSON: ${errorMessage(cause)}`, { cause });
  }
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

function appIdOf(value: unknown, file: string): string | undefined {
  if (value === undefined) {
    return undefined;
  }
  const fault = typeof value === "string" ? appIdFault(value) : "it must be text";
  if (typeof value === "string" && fault === undefined) {
    return value;
  }
  throw new PlanError(`${file}: outrigger.appId: ${fault}`);
}

function appPortOf(value: unknown, file: string): number | undefined {
  if (value === undefined) {
    return undefined;
  }
  if (typeof value === "number" && Number.isInteger(value) && value > 0 && value <= PORT_MAX) {
    return value;
  }
  throw new PlanError(`${file}: outrigger.appPort must be a whole number from 1 to ${PORT_MAX}`);
}

function protocolOf(value: unknown, file: string): AppPlan["appProtocol"] {
  if (value === undefined) {
    return "http";
  }
  if (typeof value === "string" && isAppProtocol(value)) {
    return appProtocolOf(value, false);
  }
  throw new PlanError(`${file}: outrigger.appProtocol must be one of ${APP_PROTOCOLS.join(", ")}`);
}
