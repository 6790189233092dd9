import { expect, it } from "vitest";
import { appEnvironment } from "./app-environment.ts";
import { appPlan } from "./recording-console.fixture.ts";

const ports = { http: 3500, grpc: 50_001, internalGrpc: 3, metrics: 9090 };

it("is the command's, with Dapr's variables over it and the plan's over those", () => {
  const plan = appPlan("orders", { env: { OWN: "plan", APP_PROTOCOL: "mine" } });
  expect(appEnvironment(plan, ports, { PATH: "/bin", OWN: "shell", APP_ID: "shell" })).toEqual({
    PATH: "/bin",
    OWN: "plan",
    APP_ID: "orders",
    APP_PORT: "3000",
    APP_CHANNEL_ADDRESS: "127.0.0.1",
    APP_PROTOCOL: "mine",
    DAPR_HTTP_PORT: "3500",
    DAPR_GRPC_PORT: "50001",
    DAPR_METRICS_PORT: "9090",
  });
});

it("has no APP_PORT for an app without a port", () => {
  expect(appEnvironment(appPlan("orders", { appPort: undefined }), ports, {})).not.toHaveProperty("APP_PORT");
});
