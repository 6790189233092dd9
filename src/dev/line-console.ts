import { stripVTControlCharacters, styleText } from "node:util";
import type { LineConsole } from "./types.ts";

type Format = Parameters<typeof styleText>[0];

/** Wider ids stand out of the column. */
const COLUMN_CHARACTERS_MAX = 24;

const OWN_NAME = "outrigger";

/** One after the other for the apps; red, and bold, are kept for what is wrong. */
const APP_COLORS: readonly Format[] = ["cyan", "magenta", "blue", "green", "yellow", "cyanBright", "magentaBright"];

/** `color.FgHiBlue, color.Bold` of Dapr's CLI (pkg/print/print.go). */
const DAPR_APP_COLOR: Format = ["blueBright", "bold"];

/** What Dapr's CLI sets before its own words. */
const DAPR_MARKS = { info: "ℹ️ ", success: "✅ ", warn: "⚠ ", error: "❌ " } as const;

const OWN_COLORS: Readonly<Record<Level, Format>> = { info: "bold", success: "green", warn: "yellow", error: "red" };

const RESET = "\u001B[0m";

type Level = Parameters<LineConsole["say"]>[0];

export interface LineConsoleOptions {
  /** Takes a line with its line feed. */
  readonly out: { write(line: string): void };
  /** Whether `out` shows colours; without them what apps write in colour is shown plain in the style `dev`. */
  readonly colors: boolean;
  /** In the order of their colours. */
  readonly appIds: readonly string[];
  /** `single` and `multi`: as `dapr run` on one app, and on a run file. `dev`: our own. */
  readonly style: "single" | "multi" | "dev";
}

/** Lines of several apps on one output, each with a prefix that says whose it is. */
export function createLineConsole(options: LineConsoleOptions): LineConsole {
  return options.style === "dev" ? new DevConsole(options) : new DaprConsole(options);
}

/**
 * A line as Dapr's CLI writes it, to the console and to log files: `== APP == ` before the app's on one app,
 * `== APP - <id> == ` on a run file. The sidecar's lines, which say their `app_id` themselves, have no prefix.
 */
export function daprAppLine(style: "single" | "multi", appId: string, line: string): string {
  return style === "single" ? `== APP == ${line}` : `== APP - ${appId} == ${line}`;
}

class DaprConsole implements LineConsole {
  readonly #options: LineConsoleOptions;
  readonly #style: "single" | "multi";

  constructor(options: LineConsoleOptions) {
    this.#options = options;
    this.#style = options.style === "single" ? "single" : "multi";
  }

  app(appId: string, _stream: "stdout" | "stderr", line: string): void {
    const { out, colors } = this.#options;
    out.write(`${painted(colors, DAPR_APP_COLOR, daprAppLine(this.#style, appId, line))}\n`);
  }

  sidecar(_appId: string, line: string): void {
    this.#options.out.write(`${line}\n`);
  }

  say(level: Level, _appId: string | undefined, text: string): void {
    this.#options.out.write(`${DAPR_MARKS[level]} ${text}\n`);
  }
}

/** `orders | ` before an app's lines, `orders : ` before its sidecar's, `orders > ` before ours about it. */
class DevConsole implements LineConsole {
  readonly #options: LineConsoleOptions;
  readonly #width: number;
  readonly #names = new Map<string, string>();

  constructor(options: LineConsoleOptions) {
    this.#options = options;
    const names = [OWN_NAME, ...options.appIds];
    this.#width = Math.min(COLUMN_CHARACTERS_MAX, Math.max(...names.map((name) => name.length)));
    this.#names.set(OWN_NAME, painted(options.colors, "bold", OWN_NAME.padEnd(this.#width)));
    for (const [index, appId] of options.appIds.entries()) {
      const color = APP_COLORS[index % APP_COLORS.length] ?? "cyan";
      this.#names.set(appId, painted(options.colors, color, appId.padEnd(this.#width)));
    }
  }

  app(appId: string, _stream: "stdout" | "stderr", line: string): void {
    this.#write(this.#name(appId), "|", this.#shown(line));
  }

  sidecar(appId: string, line: string): void {
    this.#write(this.#name(appId), ":", painted(this.#options.colors, "dim", this.#shown(line)));
  }

  say(level: Level, appId: string | undefined, text: string): void {
    const name = this.#name(appId ?? OWN_NAME);
    const mark = level === "warn" || level === "error" ? "!" : ">";
    for (const line of text.split("\n")) {
      this.#write(name, mark, painted(this.#options.colors, OWN_COLORS[level], line));
    }
  }

  #write(name: string, mark: string, line: string): void {
    this.#options.out.write(line === "" ? `${name} ${mark}\n` : `${name} ${mark} ${line}\n`);
  }

  #name(name: string): string {
    return this.#names.get(name) ?? name.padEnd(this.#width);
  }

  /** Nothing an app writes may reach beyond its own line: of an overwritten line the last state is shown. */
  #shown(line: string): string {
    const last = line.includes("\r") ? line.slice(line.lastIndexOf("\r") + 1) : line;
    if (!last.includes("\u001B")) {
      return last;
    }
    return this.#options.colors ? `${last}${RESET}` : stripVTControlCharacters(last);
  }
}

function painted(colors: boolean, format: Format, text: string): string {
  return colors && text !== "" ? styleText(format, text, { validateStream: false }) : text;
}
