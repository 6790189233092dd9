import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestSidecar, type TestSidecar } from "../harness/test-sidecar.ts";

const PREFLIGHT = {
  origin: "https://shop.test",
  "access-control-request-method": "POST",
  "access-control-request-headers": "x-one, x-two",
};

describe("CORS", () => {
  let one: TestSidecar;
  beforeAll(async () => {
    one = await startTestSidecar({ allowedOrigins: "https://shop.test,https://*.example.test", apiToken: "secret" });
  });
  afterAll(() => one.stop());

  it("answers a preflight before it asks for the token", async () => {
    const response = await one.fetch("/v1.0/state/store", { method: "OPTIONS", headers: PREFLIGHT });
    expect(response.status).toBe(200);
    expect(response.headers.get("access-control-allow-origin")).toBe("https://shop.test");
    expect(response.headers.get("access-control-allow-methods")).toBe("POST");
    expect(response.headers.get("access-control-allow-headers")).toBe("x-one, x-two");
  });

  it("gives an allowed origin's requests its header, errors included", async () => {
    for (const [headers, status] of [
      [{ origin: "https://a.example.test", "dapr-api-token": "secret" }, 200],
      [{ origin: "https://a.example.test" }, 401],
    ] as const) {
      const response = await one.fetch("/v1.0/metadata", { headers });
      expect(response.status).toBe(status);
      expect(response.headers.get("access-control-allow-origin")).toBe("https://a.example.test");
      expect(response.headers.get("vary")).toContain("Origin");
    }
  });

  it("gives other origins none", async () => {
    const preflight = await one.fetch("/v1.0/state/store", {
      method: "OPTIONS",
      headers: { ...PREFLIGHT, origin: "https://evil.test" },
    });
    expect(preflight.headers.get("access-control-allow-origin")).toBeNull();
    const actual = await one.fetch("/v1.0/healthz", { headers: { origin: "https://evil.test" } });
    expect(actual.headers.get("access-control-allow-origin")).toBeNull();
  });
});

it("without allowed origins there is no CORS: a preflight is a request like any other", async () => {
  await using one = await startTestSidecar();
  const response = await one.fetch("/v1.0/state/store", { method: "OPTIONS", headers: PREFLIGHT });
  expect(response.status).toBe(404);
  expect(response.headers.get("access-control-allow-origin")).toBeNull();
});
