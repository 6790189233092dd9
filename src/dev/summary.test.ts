import { expect, it } from "vitest";
import { FakeSidecar } from "./app-unit.fixture.ts";
import type { AppUnit } from "./app-unit.ts";
import { appPlan } from "./recording-console.fixture.ts";
import { summaryOf } from "./summary.ts";

const sidecar = new FakeSidecar({ http: 3500, grpc: 50_001, internalGrpc: 3, metrics: 4 });
const unit = (state: AppUnit["state"], its = true) => ({ state, sidecar: its ? sidecar : undefined }) as AppUnit;

it("lists apps, how they are and where", () => {
  const table = summaryOf([
    { plan: appPlan("orders"), unit: unit("up") },
    { plan: appPlan("grpc", { appProtocol: "grpc", appPort: 7 }), unit: unit("blocked", false) },
    { plan: appPlan("worker", { appPort: undefined }), unit: unit("needs-change") },
    { plan: appPlan("h2", { appProtocol: "h2c", command: [] }), unit: unit("up") },
  ]);
  expect(table.split("\n")).toEqual([
    "app                           url                     dapr http   dapr grpc",
    "orders   up                   http://127.0.0.1:3000   3500        50001",
    "grpc     waits for a port     grpc://127.0.0.1:7      -           -",
    "worker   waits for a change   -                       3500        50001",
    "h2       sidecar only         http://127.0.0.1:3000   3500        50001",
  ]);
});
