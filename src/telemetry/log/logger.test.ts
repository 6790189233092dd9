import { describe, expect, it } from "vitest";
import type { LogFields } from "../../kit/logger.ts";
import { VirtualClock } from "../../kit/virtual-clock.fixture.ts";
import { createLogger, parseLogLevel, type LoggerOptions } from "./logger.ts";

const AT = Date.UTC(2026, 10, 22, 2, 46, 19, 740);

function loggerInto(lines: string[], options: Partial<LoggerOptions> = {}) {
  const clock = new VirtualClock(AT);
  const sink = { write: (line: string) => void lines.push(line), close: () => Promise.resolve() };
  return createLogger({
    appId: "my app",
    instance: "vm",
    version: "1.18.3",
    level: "debug",
    asJson: false,
    sink,
    clock,
    ...options,
  });
}

const API_CALL: LogFields = { method: "GET /v1.0/state/a/b", useragent: "curl/8", code: 200, size: 12, duration: 3 };
const CLASHES: LogFields = { time: "t", level: "l", msg: "m", empty: "", flag: true, scope: "other", f: 1.5 };

/** What github.com/dapr/kit/logger v0.18.3 printed for the same calls, with the instant replaced. */
const GOLDEN: readonly (readonly [message: string, fields: LogFields | undefined, text: string, json: string])[] = [
  [
    "plain",
    undefined,
    'time="2026-11-22T02:46:19.74Z" level=info msg=plain app_id="my app" instance=vm scope=dapr.runtime type=log ver=1.18.3\n',
    '{"app_id":"my app","instance":"vm","level":"info","msg":"plain","scope":"dapr.runtime","time":"2026-11-22T02:46:19.74Z","type":"log","ver":"1.18.3"}\n',
  ],
  [
    'with "quotes" \\ and\ttab\nnl',
    undefined,
    'time="2026-11-22T02:46:19.74Z" level=info msg="with \\"quotes\\" \\\\ and\\ttab\\nnl" app_id="my app" instance=vm scope=dapr.runtime type=log ver=1.18.3\n',
    '{"app_id":"my app","instance":"vm","level":"info","msg":"with \\"quotes\\" \\\\ and\\ttab\\nnl","scope":"dapr.runtime","time":"2026-11-22T02:46:19.74Z","type":"log","ver":"1.18.3"}\n',
  ],
  [
    "",
    undefined,
    'time="2026-11-22T02:46:19.74Z" level=info app_id="my app" instance=vm scope=dapr.runtime type=log ver=1.18.3\n',
    '{"app_id":"my app","instance":"vm","level":"info","msg":"","scope":"dapr.runtime","time":"2026-11-22T02:46:19.74Z","type":"log","ver":"1.18.3"}\n',
  ],
  [
    "é <b>&\u2028\u0001\u007f",
    undefined,
    'time="2026-11-22T02:46:19.74Z" level=info msg="é <b>&\\u2028\\x01\\x7f" app_id="my app" instance=vm scope=dapr.runtime type=log ver=1.18.3\n',
    '{"app_id":"my app","instance":"vm","level":"info","msg":"é \\u003cb\\u003e\\u0026\\u2028\\u0001\u007f","scope":"dapr.runtime","time":"2026-11-22T02:46:19.74Z","type":"log","ver":"1.18.3"}\n',
  ],
  [
    "a@b^c+d/e_f.g-h",
    undefined,
    'time="2026-11-22T02:46:19.74Z" level=info msg=a@b^c+d/e_f.g-h app_id="my app" instance=vm scope=dapr.runtime type=log ver=1.18.3\n',
    '{"app_id":"my app","instance":"vm","level":"info","msg":"a@b^c+d/e_f.g-h","scope":"dapr.runtime","time":"2026-11-22T02:46:19.74Z","type":"log","ver":"1.18.3"}\n',
  ],
  [
    "HTTP API Called",
    API_CALL,
    'time="2026-11-22T02:46:19.74Z" level=info msg="HTTP API Called" app_id="my app" code=200 duration=3 instance=vm method="GET /v1.0/state/a/b" scope=dapr.runtime size=12 type=log useragent=curl/8 ver=1.18.3\n',
    '{"app_id":"my app","code":200,"duration":3,"instance":"vm","level":"info","method":"GET /v1.0/state/a/b","msg":"HTTP API Called","scope":"dapr.runtime","size":12,"time":"2026-11-22T02:46:19.74Z","type":"log","useragent":"curl/8","ver":"1.18.3"}\n',
  ],
  [
    "clash",
    CLASHES,
    'time="2026-11-22T02:46:19.74Z" level=info msg=clash app_id="my app" empty= f=1.5 fields.level=l fields.msg=m fields.time=t flag=true instance=vm scope=other type=log ver=1.18.3\n',
    '{"app_id":"my app","empty":"","f":1.5,"fields.level":"l","fields.msg":"m","fields.time":"t","flag":true,"instance":"vm","level":"info","msg":"clash","scope":"other","time":"2026-11-22T02:46:19.74Z","type":"log","ver":"1.18.3"}\n',
  ],
];

describe("createLogger", () => {
  it.each(GOLDEN)("prints %j as Dapr's logger does", (message, fields, text, json) => {
    const lines: string[] = [];
    loggerInto(lines).info(message, fields);
    loggerInto(lines, { asJson: true }).info(message, fields);
    expect(lines).toEqual([text, json]);
  });

  it("spells levels as logrus does", () => {
    const lines: string[] = [];
    const logger = loggerInto(lines);
    logger.debug("m");
    logger.info("m");
    logger.warn("m");
    logger.error("m");
    logger.fatal("m");
    expect(lines.map((line) => /level=(\w+)/.exec(line)?.[1])).toEqual(["debug", "info", "warning", "error", "fatal"]);
  });

  it("leaves out lines below its level", () => {
    const lines: string[] = [];
    const logger = loggerInto(lines, { level: "warn" });
    logger.info("not this");
    logger.warn("this");
    expect(lines).toHaveLength(1);
    expect(logger.enabled("info")).toBe(false);
    expect(logger.enabled("error")).toBe(true);
  });

  it("keeps level and sink under another scope, and scope and sink at another level", () => {
    const lines: string[] = [];
    const logger = loggerInto(lines, { level: "error" }).scope("dapr.contrib");
    logger.info("not this");
    logger.withLevel("info").info("this");
    expect(lines).toEqual([expect.stringContaining('msg=this app_id="my app" instance=vm scope=dapr.contrib ')]);
  });

  it("leaves app_id out while there is none", () => {
    const lines: string[] = [];
    loggerInto(lines, { appId: "" }).info("m");
    expect(lines[0]).toBe(
      'time="2026-11-22T02:46:19.74Z" level=info msg=m instance=vm scope=dapr.runtime type=log ver=1.18.3\n',
    );
  });

  it.each([
    [120, "2026-11-22T04:46:19.74+02:00"],
    [-210, "2026-11-21T23:16:19.74-03:30"],
  ])("prints local time %d minutes from UTC", (minutes, time) => {
    const lines: string[] = [];
    loggerInto(lines, { utcOffset: () => minutes }).info("m");
    expect(lines[0]).toContain(`time="${time}"`);
  });
});

describe("parseLogLevel", () => {
  it("knows Dapr's five words in any case and no other", () => {
    expect(parseLogLevel("WARN")).toBe("warn");
    expect(parseLogLevel("warning")).toBeUndefined();
    expect(parseLogLevel("toString")).toBeUndefined();
  });
});
