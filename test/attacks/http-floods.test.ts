import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { HEADER_BYTES_MAX } from "../../src/net/http/limits.ts";
import { IN_MEMORY } from "../harness/resources.ts";
import { type SidecarProgram, startSidecarProgram } from "../harness/sidecar-program.ts";
import { until } from "../harness/until.ts";
import { Flood, whileServing } from "./flood.ts";

const THOUSAND = 1_000;
/** The timeout of heads is ten seconds, looked at every second; the rest is for a machine that does other things. */
const CUT_OFF_MS_MAX = 40_000;
const TEST_MS_MAX = 90_000;

const HEAD = "POST /v1.0/state/store HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n";

let sidecar: SidecarProgram;
beforeAll(async () => {
  sidecar = await startSidecarProgram({ resources: IN_MEMORY, flags: ["--log-level=warn"] });
}, TEST_MS_MAX);
afterAll(async () => await sidecar[Symbol.asyncDispose]());

describe("by the thousand, at the HTTP door", () => {
  it(
    "connections that say nothing, heads that are not finished, and heads that come byte by byte (slowloris) are cut off",
    async () => {
      await whileServing(sidecar, async () => {
        const head = "GET / HTTP/1.1\r\nhost: x\r\nx: ";
        using silent = await Flood.open(sidecar.httpPort, THOUSAND, () => "");
        using unfinished = await Flood.open(sidecar.httpPort, THOUSAND, () => head);
        using slow = await Flood.open(sidecar.httpPort, THOUSAND, () => head);
        const timer = setInterval(() => slow.send("y"), 500);
        try {
          await Promise.all([silent, unfinished, slow].map(async (flood) => await flood.cutOff(CUT_OFF_MS_MAX)));
        } finally {
          clearInterval(timer);
        }
        for (const { received } of silent.attackers) expect(received).toBe("");
        for (const { received } of [...unfinished.attackers, ...slow.attackers]) {
          expect(received).toMatch(/^$|^HTTP\/1\.1 408 /);
        }
        expect(unfinished.attackers.some(({ received }) => received !== "")).toBe(true);
      });
    },
    TEST_MS_MAX,
  );

  it(
    "bodies that are begun, and bodies that trickle, hold up nobody and little memory",
    async () => {
      await whileServing(sidecar, async (served) => {
        const half = `${HEAD}content-length: 100000\r\n\r\n${"[".repeat(32 * 1024)}`;
        const chunked = `${HEAD}transfer-encoding: chunked\r\n\r\n1\r\n[\r\n`;
        using flood = await Flood.open(sidecar.httpPort, THOUSAND, (index) => (index % 2 === 0 ? half : chunked));
        for (let turn = 0; turn < 3; turn++) {
          for (const [index, { socket }] of flood.attackers.entries()) if (index % 2 === 1) socket.write("1\r\n \r\n");
          await served();
        }
        expect(flood.open).toBe(THOUSAND);
      });
    },
    TEST_MS_MAX,
  );

  it.each<[string, string, RegExp]>([
    [
      "heads of more bytes than allowed",
      `GET / HTTP/1.1\r\nhost: x\r\nx: ${"y".repeat(HEADER_BYTES_MAX)}\r\n\r\n`,
      /^HTTP\/1\.1 431 /,
    ],
    [
      "heads of tens of thousands of fields",
      `GET / HTTP/1.1\r\nhost: x\r\n${"a:b\r\n".repeat(30_000)}\r\n`,
      /^HTTP\/1\.1 431 /,
    ],
    ["targets of a megabyte", `GET /${"y".repeat(1024 * 1024)} HTTP/1.1\r\nhost: x\r\n\r\n`, /^HTTP\/1\.1 431 /],
    ["bodies that say they are too large", `${HEAD}content-length: ${2 ** 40}\r\n\r\n[`, /^HTTP\/1\.1 413 /],
    [
      "bodies that are too large and do not say so",
      `${HEAD}transfer-encoding: chunked\r\n\r\n${`10000\r\n${" ".repeat(65_536)}\r\n`.repeat(65)}`,
      /^HTTP\/1\.1 413 /,
    ],
  ])(
    "%s are refused, and their connections end",
    async (_what, bytes, answer) => {
      await whileServing(sidecar, async () => {
        const count = bytes.length > 1_000_000 ? 20 : THOUSAND;
        using flood = await Flood.open(sidecar.httpPort, count, () => bytes);
        await flood.cutOff(CUT_OFF_MS_MAX);
        // A peer that is still sending may lose the answer to a reset.
        const answered = flood.attackers.filter(({ received }) => received !== "");
        expect(answered.length).toBeGreaterThan(0);
        for (const { received } of answered) expect(received).toMatch(answer);
      });
    },
    TEST_MS_MAX,
  );

  it(
    "pipelined requests are answered in order, and nothing else of the peer is read meanwhile",
    async () => {
      await whileServing(sidecar, async () => {
        const each = "GET /v1.0/healthz/outbound HTTP/1.1\r\nhost: x\r\n\r\n";
        using flood = await Flood.open(sidecar.httpPort, 20, () => each.repeat(THOUSAND));
        await until(
          "all are answered",
          () => flood.attackers.every(({ received }) => received.length > 50_000 && !received.includes("HTTP/1.1 5")),
          CUT_OFF_MS_MAX,
        );
      });
    },
    TEST_MS_MAX,
  );
});
