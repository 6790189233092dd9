// Checks the books of a replay: `node audit/main.ts --data DIR`. Reads files only, asks no service and no sidecar.
// Exit code: 0 for books in order, 1 for books that are not, 2 where there is nothing to check.
import { parseArgs } from "node:util";
import { dataFolderAt } from "../data-folder.ts";
import { audit, isGreen } from "./audit.ts";
import { readBooks } from "./books.ts";
import { auditReport } from "./report.ts";

const EXIT = { green: 0, red: 1, unusable: 2 } as const;

function main(): number {
  try {
    const { values } = parseArgs({ options: { data: { type: "string" } } });
    if (values.data === undefined) throw new Error("usage: node audit/main.ts --data DIR");
    const checks = audit(readBooks(dataFolderAt(values.data)));
    for (const line of auditReport(checks)) console.log(line);
    return isGreen(checks) ? EXIT.green : EXIT.red;
  } catch (error) {
    console.error(`audit: ${error instanceof Error ? error.message : String(error)}`);
    return EXIT.unusable;
  }
}

process.exitCode = main();
