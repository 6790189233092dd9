import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import {
  apiKeyOf,
  type DataFolder,
  dataFolderAt,
  prepareDataFolder,
} from "../../examples/order-management/data-folder.ts";
import { DevProcess } from "../../examples/order-management/dev-process.ts";
import { APPS } from "../../examples/order-management/model/names.ts";
import { type CollectedSpan, startTraceCollector } from "../harness/trace-collector.ts";
import { until } from "../harness/until.ts";
import { writeRunFile } from "./run-file.ts";

const TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736";
const CUSTOMER_SPAN = "00f067aa0ba902b7";

const LINE = { code: "10002", description: "", quantity: 2, unitPrice: 1 };
const INVOICE = { id: "1", placedAt: "2026-03-02 09:00:00", customer: "1", country: "Ireland", lines: [LINE] };

type Step = readonly [service: string, name: string, kind: string];

const PAID: readonly Step[] = [
  ["facade", "CallActor/OrderActor/pay", "CLIENT"],
  ["orders", "CallActor/OrderActor/pay", "SERVER"],
  ["orders", "/v1.0/publish/pubsub/order-paid", "CLIENT"],
  ["order-confirmation", "pubsub/order-paid", "CLIENT"],
];

/** What the customer asks for, step by step; each is a span below the one before. */
const CHAINS: readonly (readonly Step[])[] = [
  [
    ["facade", "CallActor/OrderActor/place", "CLIENT"],
    ["orders", "CallActor/OrderActor/place", "SERVER"],
    ["orders", "CallActor/StockActor/move", "CLIENT"],
    ["stock", "CallActor/StockActor/move", "SERVER"],
  ],
  [...PAID, ["order-confirmation", "/dapr.proto.runtime.v1.Dapr/InvokeBinding", "CLIENT"]],
  [
    ...PAID,
    ["order-confirmation", "CallActor/OrderActor/confirm", "CLIENT"],
    ["orders", "CallActor/OrderActor/confirm", "SERVER"],
    ["orders", "CallActor/StockActor/move", "CLIENT"],
    ["stock", "CallActor/StockActor/move", "SERVER"],
  ],
];

/** Sidecars export every five seconds. */
const EXPORT_MS_MAX = 30_000;

it("an order is one trace across four services and their sidecars, by OTLP and in Zipkin's format", async () => {
  const folder = dataFolderAt(mkdtempSync(join(tmpdir(), "order-trace-")));
  prepareDataFolder(folder);
  await using collector = await startTraceCollector();
  const zipkin = { endpointAddress: `http://127.0.0.1:${collector.httpPort}/api/v2/spans` };
  const dev = new DevProcess({
    folder,
    runFile: await writeRunFile(folder.root, { configuration: { tracing: { samplingRate: "1", zipkin } } }),
    separateSidecars: true,
    watch: false,
    environment: { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${collector.grpcPort}` },
  });
  try {
    await placeAndPay(folder, await dev.ready(new AbortController().signal));
    const faults = (): string[] => [
      ...faultsOf(collector.spans, "grpc", (name) => name),
      ...faultsOf(collector.spans, "zipkin", (name) => name.toLowerCase()),
    ];
    const isWhole = until("all spans have been exported", () => faults().length === 0, EXPORT_MS_MAX);
    await isWhole.catch(() => expect(faults()).toEqual([]));
    expect(
      new Set(collector.spans.filter(({ traceId }) => traceId === TRACE_ID).map(({ service }) => service)),
    ).toEqual(new Set(Object.values(APPS)));
  } finally {
    await dev.stop();
    rmSync(folder.root, { recursive: true });
  }
});

/** One customer, in one trace; what comes before and after is in none. */
async function placeAndPay(folder: DataFolder, facadeUrl: string): Promise<void> {
  const key = { "content-type": "application/json", "x-api-key": apiKeyOf(folder) };
  const traced = { ...key, traceparent: `00-${TRACE_ID}-${CUSTOMER_SPAN}-01` };
  const post = async (path: string, headers: Record<string, string>, body: object): Promise<number> =>
    (await fetch(`${facadeUrl}${path}`, { method: "POST", headers, body: JSON.stringify(body) })).status;
  expect(await post("/opening-stock", key, { items: { [LINE.code]: 5 } })).toBe(200);
  expect(await post("/orders", traced, { invoice: INVOICE })).toBe(201);
  expect(await post(`/orders/${INVOICE.id}/payment`, traced, {})).toBe(202);
  await until("the order is confirmed", async () => {
    const order = (await (await fetch(`${facadeUrl}/orders/${INVOICE.id}`)).json()) as { readonly status: string };
    return order.status === "confirmed";
  });
}

/** Spans that are not there, or not below a span of the one before. */
function faultsOf(
  collected: readonly CollectedSpan[],
  through: CollectedSpan["via"],
  nameIn: (name: string) => string,
): string[] {
  const spans = collected.filter(({ via, traceId }) => via === through && traceId === TRACE_ID);
  return CHAINS.flatMap((chain) => {
    let parents: readonly string[] = [CUSTOMER_SPAN];
    return chain.flatMap(([service, name, kind]) => {
      const found = spans.filter(
        (span) =>
          span.service === service &&
          span.name === nameIn(name) &&
          span.kind === kind &&
          parents.includes(span.parentId),
      );
      const below = parents.join(" or ");
      parents = found.map(({ spanId }) => spanId);
      return found.length > 0 ? [] : [`no ${kind} span ${name} of ${service} below ${below}`];
    });
  });
}
