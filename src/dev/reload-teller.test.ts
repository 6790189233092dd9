import { expect, it } from "vitest";
import type { ChangedResource } from "../inventory/types.ts";
import { recordingConsole } from "./recording-console.fixture.ts";
import { tellReload } from "./reload-teller.ts";

const changed = (...names: string[]): readonly ChangedResource[] =>
  names.map((name) => ({ kind: "Component", name, change: "changed" }));

it("tells once what the same has happened to, and nothing of sidecars that nothing has", () => {
  const { said, ...console } = recordingConsole();
  tellReload(console, [
    { appId: "orders", changed: changed("store") },
    { appId: "stock", changed: changed("store") },
    { appId: "mail", changed: [...changed("store", "smtp"), { kind: "Resiliency", name: "r", change: "removed" }] },
    { appId: "web", changed: [] },
  ]);
  expect(said).toEqual([
    "info -: Component store changed: in use by orders and stock, and nothing has restarted",
    "info mail: Component store changed, Component smtp changed and Resiliency r removed: in use by mail, and nothing has restarted",
  ]);
});

it("names a few of many", () => {
  const { said, ...console } = recordingConsole();
  tellReload(console, [{ appId: "orders", changed: changed("a", "b", "c", "d", "e", "f", "g") }]);
  expect(said[0]).toContain("Component e changed and 2 more: in use by orders");
});
