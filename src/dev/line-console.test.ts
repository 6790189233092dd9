import { describe, expect, it } from "vitest";
import { createLineConsole, daprAppLine, type LineConsoleOptions } from "./line-console.ts";
import type { LineConsole } from "./types.ts";

function written(options: Partial<LineConsoleOptions>, use: (console: LineConsole) => void): string[] {
  const lines: string[] = [];
  use(
    createLineConsole({
      out: { write: (line) => void lines.push(line) },
      colors: false,
      appIds: ["orders", "stock"],
      style: "dev",
      ...options,
    }),
  );
  expect(lines.every((line) => line.endsWith("\n") && line.indexOf("\n") === line.length - 1)).toBe(true);
  return lines.map((line) => line.slice(0, -1));
}

describe("the console of one app", () => {
  it("writes as dapr run does", () => {
    expect(
      written({ style: "single" }, (console) => {
        console.app("orders", "stdout", "hello");
        console.app("orders", "stderr", "\u001B[31mred\u001B[0m");
        console.sidecar("orders", 'time="…" level=info');
        console.say("info", "orders", "Starting Dapr with id orders.");
        console.say("success", undefined, "You're up and running!");
        console.say("warn", undefined, "careful");
        console.say("error", undefined, "broken");
      }),
    ).toEqual([
      "== APP == hello",
      "== APP == \u001B[31mred\u001B[0m",
      'time="…" level=info',
      "ℹ️  Starting Dapr with id orders.",
      "✅  You're up and running!",
      "⚠  careful",
      "❌  broken",
    ]);
  });
});

describe("the console of a run file", () => {
  it("names the app in its lines", () => {
    expect(
      written({ style: "multi" }, (console) => {
        console.app("orders", "stderr", "hello");
        console.sidecar("orders", "app_id=orders");
      }),
    ).toEqual(["== APP - orders == hello", "app_id=orders"]);
    expect(daprAppLine("multi", "stock", "x")).toBe("== APP - stock == x");
  });

  it("colours the app's lines as Dapr's CLI does", () => {
    expect(written({ style: "multi", colors: true }, (console) => console.app("stock", "stdout", "x"))).toEqual([
      "\u001B[94m\u001B[1m== APP - stock == x\u001B[22m\u001B[39m",
    ]);
  });
});

describe("the console of outrigger dev", () => {
  it("keeps a column of names and marks who speaks", () => {
    expect(
      written({}, (console) => {
        console.app("orders", "stdout", "hello");
        console.app("stock", "stderr", "");
        console.sidecar("stock", "ready");
        console.say("info", undefined, "all up\ntwo lines");
        console.say("error", "orders", "exited with code 1");
      }),
    ).toEqual([
      "orders    | hello",
      "stock     |",
      "stock     : ready",
      "outrigger > all up",
      "outrigger > two lines",
      "orders    ! exited with code 1",
    ]);
  });

  it("lets no app write beyond its line", () => {
    const app = (line: string, colors: boolean): string[] =>
      written({ colors }, (console) => console.app("orders", "stdout", line)).map((one) => one.slice(one.indexOf("|")));
    expect(app("10%\r20%", false)).toEqual(["| 20%"]);
    expect(app("\u001B[31mred", false)).toEqual(["| red"]);
    expect(app("\u001B[31mred", true)).toEqual(["| \u001B[31mred\u001B[0m"]);
  });

  it("gives each app a colour of its own, and none when not asked", () => {
    const colors = written({ colors: true }, (console) => {
      console.app("orders", "stdout", "x");
      console.app("stock", "stdout", "x");
    }).map((line) => line.slice(0, line.indexOf("m") + 1));
    expect(new Set(colors).size).toBe(2);
    expect(colors.every((color) => color.startsWith("\u001B["))).toBe(true);
    expect(
      written({}, (console) => {
        console.say("error", "orders", "x");
        console.sidecar("orders", "x");
      }).join(""),
    ).not.toContain("\u001B");
  });

  it("lets a very long id stand out of the column", () => {
    const id = "a".repeat(40);
    expect(
      written({ appIds: ["b", id] }, (console) => {
        console.app("b", "stdout", "x");
        console.app(id, "stdout", "x");
      }),
    ).toEqual([`${"b".padEnd(24)} | x`, `${id} | x`]);
  });
});
