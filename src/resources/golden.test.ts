import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Logger } from "../kit/logger.ts";
import { loadConfiguration } from "./configuration.ts";
import { loadResources } from "./sources/files.ts";

const TESTDATA = join(import.meta.dirname, "testdata");

/**
 * A case is a folder under testdata/resources or testdata/configuration: its YAML files, perhaps an `options.json`, and
 * `expected.json` with what comes out, which vitest writes on the first run.
 */
interface CaseOptions {
  readonly namespace?: string;
  readonly appId?: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** Folders to load, in this order; without it the case's `in` folder. */
  readonly paths?: readonly string[];
}

describe("resources", () => {
  it.each(casesOf("resources"))("%s", async (name) => {
    const folder = join(TESTDATA, "resources", name);
    const options = optionsOf(folder);
    const lines: string[] = [];
    const outcome = await outcomeOf(
      loadResources({
        paths: (options.paths ?? ["in"]).map((path) => join(folder, path)),
        namespace: options.namespace ?? "",
        appId: options.appId ?? "app",
        logger: loggerTo(lines),
      }),
    );
    await expect(print({ outcome, lines }, folder)).toMatchFileSnapshot(join(folder, "expected.json"));
  });
});

describe("configuration", () => {
  it.each(casesOf("configuration"))("%s", async (name) => {
    const folder = join(TESTDATA, "configuration", name);
    const files = readdirSync(folder)
      .filter((file) => file.endsWith(".yaml"))
      .sort();
    const lines: string[] = [];
    const outcome = await outcomeOf(
      loadConfiguration(
        files.map((file) => join(folder, file)),
        optionsOf(folder).environment ?? {},
        (place, message) => lines.push(`${place.file}:${place.line}:${place.column}: ${message}`),
      ),
    );
    await expect(print({ outcome, lines }, folder)).toMatchFileSnapshot(join(folder, "expected.json"));
  });
});

function casesOf(kind: string): readonly string[] {
  return readdirSync(join(TESTDATA, kind)).sort();
}

function optionsOf(folder: string): CaseOptions {
  const file = join(folder, "options.json");
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as CaseOptions) : {};
}

async function outcomeOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    return await promise;
  } catch (error) {
    return { thrown: error };
  }
}

function print(value: unknown, folder: string): string {
  const text = JSON.stringify(value, toPrintable, 2);
  return `${text.replaceAll(`${folder}/`, "")}\n`;
}

function toPrintable(_: string, value: unknown): unknown {
  if (value instanceof Map) {
    return Object.fromEntries(value as Map<string, unknown>);
  }
  if (value instanceof Error) {
    return `${value.name}: ${value.message}`;
  }
  return typeof value === "bigint" ? `${value}n` : value;
}

function loggerTo(lines: string[]): Logger {
  const write = (level: string) => (message: string) => void lines.push(`${level} ${message}`);
  const logger: Logger = {
    debug: write("debug"),
    info: write("info"),
    warn: write("warn"),
    error: write("error"),
    fatal: write("fatal"),
    enabled: () => true,
    scope: () => logger,
  };
  return logger;
}
