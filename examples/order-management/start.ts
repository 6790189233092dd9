// The order system: four services on the official Dapr SDK under `outrigger dev`, a replay of real orders through them,
// and an audit of their books. See README.md.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { apiKeyOf, type DataFolder, dataFolderAt, prepareDataFolder } from "./data-folder.ts";
import { DevProcess } from "./dev-process.ts";
import type { Invoice } from "./model/invoice.ts";
import { CsvError } from "./replay/csv.ts";
import { type Options, parseOptions, USAGE, UsageError } from "./replay/options.ts";
import { type OrderFile, OrderFileError, readOrderFiles } from "./replay/order-file.ts";
import { replayOrders } from "./replay/run.ts";

const SAMPLE = join(import.meta.dirname, "sample-orders.csv");
const RUN_FILE = join(import.meta.dirname, "dapr.yaml");
const AUDIT = join(import.meta.dirname, "audit/main.ts");

/** Exit codes: the verdict's two, what cannot run at all, and what a shell expects when Ctrl-C came before the verdict. */
const EXIT = { green: 0, red: 1, unusable: 2, interrupted: 130 } as const;

/** What `outrigger dev` itself has to say about an app that does not run, and what helps. */
const TROUBLE = /^\S+ +! /;

const signalled = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => signalled.abort());
// Whoever read this has gone: nothing may stay up for nobody.
process.stdout.on("error", () => signalled.abort());

/** Runs all of the example; with `--once` to its end, otherwise until a signal. */
async function run(options: Options, signal: AbortSignal): Promise<number> {
  const invoices = readOrderFiles(await readFiles(options));
  const folder = dataFolderAt(mkdtempSync(join(tmpdir(), "order-management-")));
  prepareDataFolder(folder);
  console.log(`Starting four services and their sidecars on ${folder.root}`);
  const dev = new DevProcess({
    folder,
    runFile: options.runFile ?? RUN_FILE,
    separateSidecars: options.separateSidecars,
    watch: !options.once,
  });
  dev.listen((line) => {
    if (TROUBLE.test(line)) console.error(line);
  });
  let code: number = EXIT.unusable;
  try {
    const facadeUrl = await dev.ready(signal);
    const replayed = replayOrders({
      ...options,
      folder,
      facadeUrl,
      invoices,
      signal,
      output: process.stdout,
    });
    const { failures, open } = await Promise.race([replayed, dev.ended()]);
    console.log("");
    const verdict = await runAudit(folder, signal);
    code = verdict === EXIT.green && failures.size + open.length > 0 ? EXIT.red : verdict;
    if (!options.once) {
      console.log("\nStill up, until Ctrl-C. Try:");
      for (const line of suggestions(folder, facadeUrl, invoices)) console.log(`  ${line}`);
      console.log("");
      dev.listen((line) => console.log(line));
      await Promise.race([dev.ended(), aborted(signal)]);
    }
    return code;
  } finally {
    await dev.stop();
    if (options.once && code === EXIT.green) rmSync(folder.root, { recursive: true, force: true });
    else console.log(`What the run has left stays in ${folder.root}`);
  }
}

async function readFiles({ orders }: Options): Promise<OrderFile[]> {
  const paths = orders.length === 0 ? [SAMPLE] : orders;
  return await Promise.all(paths.map(async (path) => ({ name: basename(path), text: await readFile(path, "utf8") })));
}

/** The verdict of another program, which reads files only. */
async function runAudit({ root }: DataFolder, signal: AbortSignal): Promise<number> {
  const child = spawn(process.execPath, [...process.execArgv, AUDIT, "--data", root], { stdio: "inherit", signal });
  const [code] = (await once(child, "exit")) as [number | null];
  return code ?? EXIT.unusable;
}

function suggestions(folder: DataFolder, facadeUrl: string, [first]: readonly Invoice[]): string[] {
  const [line] = first?.lines ?? [];
  const order = JSON.stringify({ invoice: { ...first, id: "1", lines: [{ ...line, quantity: 1 }] } });
  return [
    `curl ${facadeUrl}/openapi.json`,
    `curl ${facadeUrl}/orders/${first?.id}`,
    `curl ${facadeUrl}/availability/${line?.code.toUpperCase()}`,
    `curl ${facadeUrl}/orders -H 'x-api-key: ${apiKeyOf(folder)}' --json '${order}'`,
    `${process.execPath} ${AUDIT} --data ${folder.root}`,
  ];
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, "abort");
}

function explain(error: unknown): void {
  if (error instanceof UsageError) console.error(`${error.message}\n\n${USAGE}`);
  else if (error instanceof OrderFileError || error instanceof CsvError) console.error(error.message);
  else console.error(error instanceof Error ? error.message : error);
}

async function main(): Promise<number> {
  try {
    return await run(parseOptions(process.argv.slice(2)), signalled.signal);
  } catch (error) {
    if (signalled.signal.aborted) return EXIT.interrupted;
    explain(error);
    return EXIT.unusable;
  }
}

// Idle connections to the façade would hold the process for a while.
process.exit(await main());
