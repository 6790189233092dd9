import { expect, it } from "vitest";
import { ProblemTeller } from "./problem-teller.ts";
import { recordingConsole } from "./recording-console.fixture.ts";

const at = (line: number) => ({ file: "a.yaml", message: `a.yaml:${line}: no YAML`, advice: "Correct it." });

it("tells a problem once for all apps, and that its file is well when it is for all", () => {
  const { said, ...console } = recordingConsole();
  const teller = new ProblemTeller(console);
  teller.look("orders", [at(1)]);
  teller.look("stock", [at(1)]);
  expect(said.splice(0)).toEqual(["error -: a.yaml:1: no YAML\nCorrect it."]);
  teller.look("orders", []);
  expect(said).toEqual([]);
  teller.look("stock", []);
  expect(said.splice(0)).toEqual(["success -: a.yaml can be read again"]);
  teller.look("stock", [at(1)]);
  expect(said).toEqual(["error -: a.yaml:1: no YAML\nCorrect it."]);
});

it("does not call a file well that has another problem", () => {
  const { said, ...console } = recordingConsole();
  const teller = new ProblemTeller(console);
  teller.look("orders", [at(1)]);
  teller.look("orders", [at(2)]);
  expect(said).toEqual(["error -: a.yaml:1: no YAML\nCorrect it.", "error -: a.yaml:2: no YAML\nCorrect it."]);
});

it("says nothing when what belongs to no one file is over", () => {
  const { said, ...console } = recordingConsole();
  const teller = new ProblemTeller(console);
  teller.look("orders", [{ file: undefined, message: "the folder is gone", advice: "Make it." }]);
  teller.look("orders", []);
  expect(said).toEqual(["error -: the folder is gone\nMake it."]);
});
