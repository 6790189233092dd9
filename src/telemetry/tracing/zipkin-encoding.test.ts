import { expect, it } from "vitest";
import { finishedSpan } from "./spans.fixture.ts";
import { encodeZipkin } from "./zipkin-encoding.ts";

it("writes Zipkin's version 2 with the tags of Go's exporter", () => {
  const span = finishedSpan("CallLocal/orders/place", { parentId: "b7ad6b7169203331" });
  span.set("rpc.service", "ServiceInvocation");
  span.set("http.response.status_code", 404);
  span.fail("Code(404): Not Found");
  const resource = new Map([
    ["service.name", "Orders"],
    ["service.namespace", "shop"],
  ]);
  expect(JSON.parse(encodeZipkin([span], resource, 1_795_359_599_000))).toEqual([
    {
      traceId: "4bf92f3577b34da6a3ce929d0e0e4736",
      parentId: "b7ad6b7169203331",
      id: "00f067aa0ba902b7",
      name: "calllocal/orders/place",
      kind: "CLIENT",
      timestamp: 1_795_359_600_000_250,
      duration: 3_250,
      localEndpoint: { serviceName: "orders" },
      tags: {
        "rpc.service": "ServiceInvocation",
        "http.response.status_code": "404",
        "service.name": "Orders",
        "service.namespace": "shop",
        "otel.status_code": "ERROR",
        error: "Code(404): Not Found",
        "otel.scope.name": "dapr-diagnostics",
      },
    },
  ]);
});

it("leaves out the parent of a span that begins its trace", () => {
  const [span] = JSON.parse(encodeZipkin([finishedSpan()], new Map(), 0)) as [Record<string, unknown>];
  expect(Object.keys(span)).not.toContain("parentId");
});
