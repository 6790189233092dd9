// `node bench/transport/run.ts`: CPU per unary gRPC call of opaque bytes, for the bare transports, interleaved.
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Kind, KINDS } from "./calls.ts";
import type { PartAnswer, PartMessage } from "./part.ts";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    calls: { type: "string", default: "40000" },
    json: { type: "string" },
    markdown: { type: "string" },
  },
});
const rounds = Number(values.rounds);
const calls = Number(values.calls);

/** Which process of a chain is measured. The others run on our own transport. */
const ROLES = ["served", "called", "proxied"] as const;
type Role = (typeof ROLES)[number];
const AT_A_TIME = [32, 1] as const;

class Part {
  private readonly child: ChildProcess = fork(join(import.meta.dirname, "part.ts"));

  async tell(message: PartMessage): Promise<number> {
    const answer = once(this.child, "message") as Promise<[PartAnswer]>;
    this.child.send(message);
    return (await answer)[0].value;
  }

  async end(): Promise<void> {
    const exit = once(this.child, "exit");
    this.child.disconnect();
    await exit;
  }
}

/** Microseconds of CPU per call of the measured process. */
async function measure(role: Role, kind: Kind, atATime: number): Promise<number> {
  const server = new Part();
  const client = new Part();
  const parts = [server, client];
  let measured = role === "served" ? server : client;
  let port = await server.tell({ do: "serve", kind: role === "served" ? kind : "own" });
  if (role === "proxied") {
    measured = new Part();
    parts.push(measured);
    port = await measured.tell({ do: "proxy", kind, to: port });
  }
  await client.tell({ do: "connect", kind: role === "called" ? kind : "own", to: port });
  const count = atATime === 1 ? Math.ceil(calls / 4) : calls;
  await client.tell({ do: "call", count: Math.ceil(count / 3), atATime });
  const before = await measured.tell({ do: "usage" });
  await client.tell({ do: "call", count, atATime });
  const cpu = (await measured.tell({ do: "usage" })) - before;
  await Promise.all(parts.map(async (part) => await part.end()));
  return cpu / count;
}

const samples = new Map<string, number[]>();
for (let round = 1; round <= rounds; round += 1) {
  process.stderr.write(`round ${round} of ${rounds}\n`);
  for (const role of ROLES) {
    for (const atATime of AT_A_TIME) {
      for (const kind of KINDS) {
        const key = `${role} ${atATime} ${kind}`;
        samples.set(key, [...(samples.get(key) ?? []), await measure(role, kind, atATime)]);
      }
    }
  }
}

function median(key: string): number {
  const sorted = (samples.get(key) ?? []).toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function cell(key: string): string {
  const all = samples.get(key) ?? [];
  return `${median(key).toFixed(1)} (${Math.min(...all).toFixed(1)}–${Math.max(...all).toFixed(1)})`;
}

const lines = [
  `| call, at a time | ${KINDS.join(" | ")} | own / node:http2 |`,
  `|---|${KINDS.map(() => "---|").join("")}---|`,
  ...ROLES.flatMap((role) =>
    AT_A_TIME.map((atATime) => {
      const keys = KINDS.map((kind) => `${role} ${atATime} ${kind}`);
      const ratio = median(`${role} ${atATime} own`) / median(`${role} ${atATime} node:http2`);
      return `| ${role}, ${atATime} | ${keys.map(cell).join(" | ")} | ${ratio.toFixed(2)} |`;
    }),
  ),
];
const table = `CPU µs per unary call (260 B in, 1 KiB out), median of ${rounds} interleaved rounds (least–most)\n\n${lines.join("\n")}\n`;
process.stdout.write(table);
if (values.markdown !== undefined) writeFileSync(values.markdown, table);
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(Object.fromEntries(samples), null, 2)}\n`);
