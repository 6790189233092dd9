import { readdirSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createRuntime, type Runtime } from "../../embed/create-runtime.ts";
import type { ErrorEntry } from "../../errors/error.ts";
import { collectBody } from "../../app/body.ts";
import type { HeaderList, HttpResponse } from "../../net/http/types.ts";
import { bindingsRoutes } from "./bindings.ts";
import { controlRoutes } from "./control.ts";
import { lockRoutes } from "./lock.ts";
import { publishRoutes } from "./publish.ts";
import { secretsRoutes } from "./secrets.ts";
import { stateRoutes } from "./state.ts";
import { unimplementedRoutes } from "./unimplemented.ts";

const RUNS = 3000;
/** An answer that takes longer counts as none. */
const PATIENCE_MS = 5000;
const BODY_BYTES_MAX = 64 * 1024;
const APP_MARK = "x-answered-by-app";

const RESOURCES = `apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: store }
spec: { type: state.in-memory, version: v1, metadata: [] }
---
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: broker }
spec:
  type: pubsub.in-memory
  version: v1
  metadata: [{ name: protectedTopics, value: secret }]
---
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: vault }
spec: { type: secretstores.local.env, version: v1, metadata: [] }
---
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: locks }
spec: { type: lock.sqlite, version: v1, metadata: [{ name: connectionString, value: ":memory:" }] }
---
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: files }
spec: { type: bindings.localstorage, version: v1, metadata: [{ name: rootPath, value: FILES }] }
`;

/** Without the one route whose success would end the test. */
const CONFIGURATION = `apiVersion: dapr.io/v1alpha1
kind: Configuration
metadata: { name: config }
spec: { api: { denied: [{ name: shutdown, version: v1, protocol: http }] } }
`;

/** Where Dapr itself gives a 5xx for what its caller did, and why. */
const SERVER_ERRORS_OF_DAPR: Readonly<Record<string, string>> = {
  "501 ERR_API_UNIMPLEMENTED": "an API that this release does not have",
  "500 ERR_STATE_STORE_NOT_SUPPORTED": "Dapr's answer to a query of a store that cannot do it",
  "500 ERR_STATE_TRANSACTION": "Dapr's answer to every failure of a transaction, an etag mismatch included",
  "500 ERR_STATE_SAVE": "Dapr's answer to whatever the store refuses, an unknown concurrency for instance",
  "500 ERR_STATE_DELETE": "as for saves",
  "500 ERR_HEALTH_APPID_NOT_MATCH": "Dapr's answer to ?appid= of another app",
  "500 ERR_PUBSUB_CLOUD_EVENTS_SER": "Dapr's answer to a body that is no CloudEvent although its content type says so",
  "500 ERR_CONFIGURATION_STORE_NOT_CONFIGURED": "Dapr's answer where no store is loaded",
  "500 ERR_INVOKE_OUTPUT_BINDING": "Dapr's answer to whatever a binding refuses, an unknown binding included",
  "500 ERR_SECRET_GET": "Dapr's answer to whatever a store refuses",
  "500 ERR_DIRECT_INVOKE": "Dapr's answer to every failed invocation, one of an app there is none of included",
};

/** The answers that are not JSON, by status. */
const PLAIN_TEXTS: Readonly<Record<number, RegExp>> = {
  400: /^invalid URL escape in .*\n$/s,
  401: /^invalid api token\n$/,
};

/** Statuses that a code of the catalogue may have; saves and deletes take the etag's status (blocks/state). */
const statuses = new Map<string, Set<number>>([
  ["ERR_STATE_SAVE", new Set([400, 409])],
  ["ERR_STATE_DELETE", new Set([400, 409])],
  ["ERR_DIRECT_INVOKE", new Set([403])],
]);

let folder: string;
let runtime: Runtime;
let segments: readonly string[];

beforeAll(async () => {
  await readCatalogue();
  folder = await mkdtemp(join(tmpdir(), "outrigger-door-"));
  await writeFile(join(folder, "resources.yaml"), RESOURCES.replace("FILES", join(folder, "files")));
  await writeFile(join(folder, "config.txt"), CONFIGURATION);
  runtime = await createRuntime({
    appId: "app",
    resourcesPaths: [folder],
    configPaths: [join(folder, "config.txt")],
    maxBodyBytes: BODY_BYTES_MAX,
    app: (exchange) => exchange.respond(418, [APP_MARK, "yes"], "teapot"),
  });
  segments = routeSegments(runtime);
});
afterAll(async () => {
  await runtime.close();
  await rm(folder, { recursive: true });
});

async function readCatalogue(): Promise<void> {
  const catalogue = join(import.meta.dirname, "../../errors/catalogue");
  for (const name of readdirSync(catalogue)) {
    const exported = (await import(join(catalogue, name))) as Record<string, Record<string, ErrorEntry>>;
    for (const { code, httpStatus } of Object.values(exported).flatMap((entries) => Object.values(entries))) {
      statuses.set(code, (statuses.get(code) ?? new Set()).add(httpStatus));
    }
  }
}

function routeSegments({ state, pubsub, control, bindings, secrets, lock }: Runtime): readonly string[] {
  const options = { bodyBytesMax: 0, maxBodyBytes: 0 };
  const routes = [
    ...stateRoutes(state, options),
    ...publishRoutes(pubsub, options),
    ...bindingsRoutes(bindings, options),
    ...secretsRoutes(secrets),
    ...lockRoutes(lock, options),
    ...controlRoutes(control),
    ...unimplementedRoutes(),
  ];
  const literal = routes
    .flatMap(({ path }) => path.split("/"))
    .filter((segment) => segment !== "" && segment !== "*" && !segment.startsWith(":"));
  return [
    ...new Set([
      ...literal,
      "invoke",
      "method",
      "store",
      "broker",
      "vault",
      "locks",
      "files",
      "app",
      "topic",
      "secret",
      "key",
    ]),
  ];
}

const JUNK = [
  "",
  ".",
  "..",
  "%",
  "%zz",
  "%2F",
  "%00",
  "%25",
  "a||b",
  "+",
  "%C3%28",
  "ü",
  "💥",
  "a b",
  "__proto__",
  "constructor",
  "*",
  ":key",
  "#",
];
const METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "PROPFIND", "get", "M-SEARCH"];
const HEADERS = [
  "content-type",
  "if-match",
  "dapr-app-id",
  "dapr-api-token",
  "traceparent",
  "tracestate",
  "accept",
  "authorization",
  "origin",
  "content-length",
  "x-any",
  "connection",
];
const HEADER_VALUES = [
  "",
  "application/json",
  "application/cloudevents+json",
  "app",
  "1",
  "-1",
  "00-zz-zz-01",
  "close, x-any",
  "text/event-stream",
  "Basic ZGFwci1hcHAtaWQ6YXBw",
  "app.ns.more",
];
const QUERIES = [
  "metadata.ttlInSeconds=1",
  "metadata.ttlInSeconds=x",
  "metadata.rawPayload=true",
  "metadata.rawPayload=maybe",
  "metadata.=",
  "metadata.__proto__=1",
  "consistency=strong",
  "concurrency=first-write",
  "concurrency=none",
  "appid=app",
  "appid=other",
  "&&",
  "%zz=%",
  "metadata.contentType=application%2Fjson",
  "metadata.partitionKey=a",
  "prefix=k&pageSize=1",
  "pageSize=0",
  "include=value",
  "token=MWtleQ",
];

const path = fc
  .array(
    fc.oneof(
      { weight: 6, arbitrary: fc.nat().map((index) => segments[index % segments.length] ?? "") },
      { weight: 2, arbitrary: fc.constantFrom(...JUNK) },
      { weight: 1, arbitrary: fc.string() },
    ),
    { maxLength: 7 },
  )
  .map((parts) => `/${parts.join("/")}`);

/** Paths of real routes with values in their places, so that most requests get past the router. */
const realPath = fc
  .tuple(
    fc.constantFrom(
      "/v1.0/state/S",
      "/v1.0/state/S/K",
      "/v1.0/state/S/bulk",
      "/v1.0/state/S/transaction",
      "/v1.0-alpha1/state/S/query",
      "/outrigger/v1/state/S",
      "/v1.0/publish/B/K",
      "/v1.0/publish/bulk/B/K",
      "/v1.0-alpha1/publish/bulk/B/K",
      "/v1.0/invoke/A/method/K",
      "/v1.0/metadata/K",
      "/v1.0/metadata",
      "/v1.0/healthz",
      "/v1.0/secrets/S/K",
      "/v1.0/workflows/K/K/start",
    ),
    fc.constantFrom("store", "store", "store", "nowhere", "%20"),
    fc.constantFrom("broker", "broker", "broker", "nowhere"),
    fc.constantFrom("app", "other", "app.default", "a.b.c"),
    fc.oneof(fc.constantFrom("key", "secret", ...JUNK), fc.string().map(encodeURIComponent)),
  )
  .map(([template, store, broker, app, key]) =>
    template
      .replace("/S", `/${store}`)
      .replace("/B", `/${broker}`)
      .replace("/A/", `/${app}/`)
      .replace("/K", () => `/${key}`),
  );

/** Mostly one of the values that mean something, now and then anything. */
function mostly(...values: readonly unknown[]): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...values) }, { weight: 1, arbitrary: fc.jsonValue() });
}

const item = fc.record(
  {
    key: mostly("key", "k2", "", "a||b"),
    value: fc.jsonValue(),
    etag: mostly("1", "2", "", "x"),
    metadata: mostly({}, {}, { ttlInSeconds: "1" }, { ttlInSeconds: "soon" }, { contentType: "text/plain" }),
    options: mostly({ concurrency: "first-write" }, { concurrency: "none" }, { consistency: "strong" }, {}),
  },
  { requiredKeys: ["key", "value"] },
);
const entry = fc.record(
  {
    entryId: mostly("1", "2", "3", ""),
    event: fc.jsonValue(),
    contentType: mostly(
      "application/json",
      "text/plain",
      "application/octet-stream",
      "application/cloudevents+json",
      "",
    ),
    metadata: mostly({}, { ttlInSeconds: "x" }),
  },
  { requiredKeys: ["entryId", "event"] },
);
const event = fc.record(
  {
    specversion: mostly("1.0", "9", ""),
    id: mostly("1", ""),
    data: fc.jsonValue(),
    data_base64: mostly("YQ==", "%"),
    type: mostly("t"),
  },
  { requiredKeys: [] },
);
const operation = fc.record(
  { operation: mostly("upsert", "upsert", "delete", "merge", ""), request: item },
  { requiredKeys: ["operation"] },
);
const shaped = fc.oneof(
  fc.array(item, { maxLength: 4 }),
  fc.array(entry, { maxLength: 4 }),
  fc.record(
    { keys: mostly(["key", "k2"], [], ["", "a||b"]), parallelism: mostly(1, -1, 1e9), metadata: mostly({}) },
    { requiredKeys: [] },
  ),
  fc.record(
    { operations: fc.array(operation, { maxLength: 4 }), metadata: mostly({}) },
    { requiredKeys: ["operations"] },
  ),
  event,
  fc.jsonValue(),
);
const body = fc.oneof(
  { weight: 5, arbitrary: shaped.map((value) => Buffer.from(JSON.stringify(value) ?? "")) },
  { weight: 1, arbitrary: shaped.chain((value) => cut(Buffer.from(JSON.stringify(value) ?? ""))) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      Buffer.alloc(0),
      Buffer.alloc(BODY_BYTES_MAX + 1, "["),
      Buffer.from("[".repeat(20_000)),
      Buffer.from('{"a":'.repeat(5000)),
      Buffer.from("\ufeff[]"),
    ),
  },
);

function cut(bytes: Buffer): fc.Arbitrary<Buffer> {
  return fc.nat({ max: bytes.length }).map((length) => bytes.subarray(0, length));
}

const headers = fc
  .array(fc.tuple(fc.constantFrom(...HEADERS), fc.oneof(fc.constantFrom(...HEADER_VALUES), fc.string())), {
    maxLength: 4,
  })
  .map((pairs): HeaderList => pairs.flat());
const query = fc
  .array(fc.oneof(fc.constantFrom(...QUERIES), fc.string()), { maxLength: 3 })
  .map((parts) => (parts.length === 0 ? "" : `?${parts.join("&")}`));

interface Asked {
  readonly method: string;
  readonly target: string;
  readonly headers: HeaderList;
  readonly body: Buffer;
}

const request: fc.Arbitrary<Asked> = fc
  .record({
    method: fc.constantFrom(...METHODS),
    path: fc.oneof({ weight: 3, arbitrary: realPath }, { weight: 1, arbitrary: path }),
    query,
    headers,
    body,
  })
  .map((parts) => ({
    method: parts.method,
    target: parts.path + parts.query,
    headers: parts.headers,
    body: parts.body,
  }));

it("every request is answered, and every error of our own is one of the catalogue with a status that Dapr gives it", async () => {
  const seen = new Set<string>();
  await fc.assert(
    fc.asyncProperty(request, async (asked) => {
      const response = await runtime.request({ ...asked, headTimeoutMs: PATIENCE_MS });
      const text = Buffer.from(await collectBody(response.body, 1024 * 1024)).toString();
      expect(response.status).toBeGreaterThanOrEqual(200);
      if (response.status >= 400 && !isTheApps(response) && asked.method !== "HEAD") {
        seen.add(expectOurError(response, text));
      }
    }),
    { numRuns: RUNS },
  );
  // The generator is worth something only as long as it reaches most of what can go wrong.
  expect([...seen]).toEqual(
    expect.arrayContaining([
      "400 text",
      "400 ERR_MALFORMED_REQUEST",
      "400 ERR_STATE_STORE_NOT_FOUND",
      "404 ERR_DIRECT_INVOKE",
      "404 ERR_PUBSUB_NOT_FOUND",
      "500 ERR_DIRECT_INVOKE",
      "501 ERR_API_UNIMPLEMENTED",
      "413 ERR_BODY_READ",
    ]),
  );
});

function isTheApps(response: HttpResponse): boolean {
  return response.headers.includes(APP_MARK);
}

/** @returns status and code, or `text` */
function expectOurError(response: HttpResponse, text: string): string {
  const { status } = response;
  const type = response.headers[response.headers.indexOf("content-type") + 1] ?? "";
  if (type.startsWith("text/plain")) {
    expect(text).toMatch(PLAIN_TEXTS[status] ?? /^an allowed plain text$/);
    return `${status} text`;
  }
  expect(type).toBe("application/json");
  const { errorCode, message } = JSON.parse(text) as { errorCode: string; message?: string };
  expect([...statuses.keys()]).toContain(errorCode);
  expect([...(statuses.get(errorCode) ?? [])]).toContain(status);
  if (status >= 500) {
    expect(Object.keys(SERVER_ERRORS_OF_DAPR), message ?? "").toContain(`${status} ${errorCode}`);
  }
  return `${status} ${errorCode}`;
}
