import { execFile } from "node:child_process";
import { resolve } from "node:path";
import type { DataFolder } from "../../examples/order-management/data-folder.ts";

const AUDIT = resolve(import.meta.dirname, "../../examples/order-management/audit/main.ts");

/** 0 for books in order. */
export interface AuditEnd {
  readonly code: number;
  readonly output: string;
}

/** The audit as its own program, as anybody would run it. */
export async function runAudit({ root }: Pick<DataFolder, "root">): Promise<AuditEnd> {
  return await new Promise((settle) => {
    execFile(process.execPath, [AUDIT, "--data", root], (error, stdout, stderr) => {
      settle({ code: error === null ? 0 : Number(error.code ?? 1), output: stdout + stderr });
    });
  });
}
