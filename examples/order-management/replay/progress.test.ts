import { expect, it } from "vitest";
import { Progress } from "./progress.ts";

function output(isTTY: boolean) {
  const written: string[] = [];
  return { isTTY, written, write: (text: string) => written.push(text) };
}

it("prints a line for each tenth without a terminal", () => {
  const plain = output(false);
  let nowMs = 0;
  const progress = new Progress(plain, 40, () => nowMs);
  for (let done = 1; done <= 40; done++) {
    nowMs += 50;
    progress.update(done);
  }
  expect(plain.written).toHaveLength(10);
  expect(plain.written[0]).toBe("   10 %  4/40, 20 orders/s\n");
  expect(plain.written[9]).toBe("  100 %  40/40, 20 orders/s\n");
});

it("redraws one line in a terminal, not too often and always to the end", () => {
  const terminal = output(true);
  let nowMs = 0;
  const progress = new Progress(terminal, 100, () => nowMs);
  for (let done = 1; done <= 100; done++) {
    nowMs += 10;
    progress.update(done);
  }
  expect(terminal.written.length).toBeLessThan(25);
  expect(terminal.written.every((text) => text.startsWith("\r\u001B[2K"))).toBe(true);
  expect(terminal.written.filter((text) => text.endsWith("\n"))).toEqual([terminal.written.at(-1)]);
  expect(terminal.written.at(-1)).toContain(`${"█".repeat(32)} 100 %  100/100, 100 orders/s`);
});
