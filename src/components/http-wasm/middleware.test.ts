import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { nextTurn } from "../../kit/turn.ts";
import { middlewareDeps, openMiddleware, type OpenMiddleware, plainRequest } from "../spi/middleware.fixture.ts";
import {
  call,
  type Code,
  CONTEXT,
  DROP,
  FAILED,
  FOREVER,
  GuestBuilder,
  i32,
  i64,
  LOW,
  NEXT,
  STOP,
  TRAP,
} from "./guest.fixture.ts";
import { httpWasmManifest } from "./manifest.ts";

let folder = "";
const open: OpenMiddleware[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "outrigger-guest-"));
});
afterEach(async () => {
  await Promise.all(open.splice(0).map(({ middleware }) => middleware.close()));
});
afterAll(() => rm(folder, { recursive: true }));

/** Texts of the guest are put into its memory in the order in which `program` asks for them. */
async function start(
  program: (text: (value: string) => Code) => readonly [request: Code, response?: Code],
  metadata: Record<string, string> = {},
): Promise<OpenMiddleware> {
  const builder = new GuestBuilder();
  const [request, response] = program((value) => builder.text(value).code);
  await writeFile(join(folder, "guest.wasm"), builder.build(request, response));
  const one = await openMiddleware(httpWasmManifest, { url: "file://guest.wasm", ...metadata }, { directory: folder });
  open.push(one);
  return one;
}

const REQUEST = i32(0);
const RESPONSE = i32(1);
const BUFFER_REQUEST = call("enable_features", i32(1));
const BUFFER_RESPONSE = call("enable_features", i32(2));
/** Reads the request's body into the second half of the memory's first page and pushes place and length. */
const read = (kind: Code): Code => [...i32(4096), ...call("read_body", kind, i32(4096), i32(32_768)), ...LOW];

describe("a guest", () => {
  it("passes requests on with another URI, method and headers", async () => {
    const { ask } = await start((text) => [
      [
        ...call("set_uri", text("/v1.0/hello?name=teddy")),
        ...call("set_method", text("PUT")),
        ...call("set_header_value", REQUEST, text("X-One"), text("1")),
        ...call("add_header_value", REQUEST, text("x-two"), text("2")),
        ...call("remove_header", REQUEST, text("x-three")),
        ...NEXT,
      ],
    ]);
    const asked = await ask("/v1.0/hi?name=panda", { headers: ["x-one", "0", "X-Three", "3", "x-four", "4"] });
    expect(asked.passed).toMatchObject({ target: "/v1.0/hello?name=teddy", method: "PUT" });
    expect(asked.passed?.headers).toEqual(["x-four", "4", "X-One", "1", "x-two", "2"]);
  });

  it("answers itself", async () => {
    const { ask } = await start((text) => [
      [
        ...call("set_status_code", i32(418)),
        ...call("set_header_value", RESPONSE, text("x-tea"), text("pot")),
        ...call("write_body", RESPONSE, text("short ")),
        ...call("write_body", RESPONSE, text("and stout")),
        ...STOP,
      ],
    ]);
    const asked = await ask("/");
    expect([asked.status, asked.text, asked.header("x-tea"), asked.passed]).toEqual([
      418,
      "short and stout",
      "pot",
      undefined,
    ]);
  });

  it("reads a streamed body, which is gone then, unless it is kept", async () => {
    const body = () =>
      (async function* () {
        yield Buffer.from("one, ");
        yield Buffer.from("two");
      })();
    const eater = await start(() => [[...call("write_body", RESPONSE, read(REQUEST)), ...STOP]]);
    expect((await eater.ask("/", { body: body() })).text).toBe("one, two");
    const consumer = await start(() => [[...read(REQUEST), ...DROP, ...DROP, ...NEXT]]);
    expect((await consumer.ask("/", { body: body() })).text).toBe("");
    const keeper = await start(() => [[...BUFFER_REQUEST, ...DROP, ...read(REQUEST), ...DROP, ...DROP, ...NEXT]]);
    expect((await keeper.ask("/", { body: body() })).text).toBe("one, two");
    expect((await keeper.ask("/", { body: Buffer.from("whole") })).text).toBe("whole");
  });

  it("leaves a body that it does not read alone", async () => {
    const { ask } = await start(() => [NEXT]);
    const body = (async function* () {
      yield Buffer.from("stream");
    })();
    const asked = await ask("/", { body });
    expect([asked.text, asked.passed?.body]).toEqual(["stream", body]);
  });

  it("puts a body of its own in place of the request's", async () => {
    const { ask } = await start((text) => [[...call("write_body", REQUEST, text("mine")), ...NEXT]]);
    const asked = await ask("/", { body: Buffer.from("yours"), headers: ["content-length", "5"] });
    expect([asked.text, asked.sent("content-length")]).toEqual(["mine", undefined]);
  });

  it("changes the answer of the next handler where it asked for it to be held", async () => {
    const { ask } = await start((text) => [
      [...BUFFER_RESPONSE, ...DROP, ...NEXT],
      [
        ...call("add_header_value", RESPONSE, text("x-more"), text("1")),
        ...call("set_status_code", [...call("get_status_code"), ...i32(1), 0x6a]),
        ...call("write_body", RESPONSE, text("<")),
        ...call("write_body", RESPONSE, read(RESPONSE)),
      ],
    ]);
    const asked = await ask(
      "/",
      {},
      { status: 201, headers: ["x-app", "1", "content-length", "4"], body: Buffer.from("body") },
    );
    expect([asked.status, asked.text, asked.headers]).toEqual([202, "<body", ["x-app", "1", "x-more", "1"]]);
  });

  it("adds headers to an answer that is not held, before it is there", async () => {
    const { ask } = await start((text) => [
      [...call("set_header_value", RESPONSE, text("x-first"), text("1")), ...NEXT],
    ]);
    expect((await ask("/", {}, { headers: ["x-app", "1"] })).headers).toEqual(["x-first", "1", "x-app", "1"]);
  });

  it("gets its context back, and its configuration, and logs", async () => {
    const { ask, logged } = await start(
      (text) => [
        [
          ...call("log", i32(0), [...i32(1024), ...call("get_config", i32(1024), i32(64))]),
          ...call("log", i32(2), text("serious")),
          ...i64((7n << 32n) | 1n),
        ],
        [...call("log", i32(1), [...text("0123456789"), ...DROP, ...CONTEXT])],
      ],
      { guestConfig: "some text" },
    );
    await ask("/");
    expect(logged).toEqual(["info: some text", "error: serious", "warn: 0123456"]);
  });

  it("serves requests at the same time, as many as it has instances, and the others after them", async () => {
    const { ask } = await start(() => [[...BUFFER_RESPONSE, ...DROP, ...i64((7n << 32n) | 1n)]], { maxInstances: "2" });
    const answers = await Promise.all(Array.from({ length: 20 }, (_, index) => ask(`/${index}`)));
    expect(answers.map(({ status, passed }) => `${status} ${passed?.target}`)).toEqual(
      Array.from({ length: 20 }, (_, index) => `200 /${index}`),
    );
  });
});

describe("a guest that goes wrong", () => {
  it.each([
    ["traps", () => TRAP],
    ["reads beyond its memory", () => [...call("set_uri", [...i32(65_530), ...i32(100)]), ...NEXT]],
    ["sets a method that is none", (text: (value: string) => Code) => [...call("set_method", text("GET /x")), ...NEXT]],
    ["sets a URI with a line break", (text: (value: string) => Code) => [...call("set_uri", text("/a\r\nb")), ...NEXT]],
    [
      "smuggles a header",
      (text: (value: string) => Code) => [...call("set_header_value", REQUEST, text("x"), text("1\r\ny: 2")), ...NEXT],
    ],
    [
      "smuggles a length",
      (text: (value: string) => Code) => [
        ...call("add_header_value", REQUEST, text("Transfer-Encoding"), text("chunked")),
        ...NEXT,
      ],
    ],
    [
      "writes without end",
      () => [0x03, 0x40, ...call("write_body", RESPONSE, [...i32(0), ...i32(65_536)]), 0x0c, 0x00, 0x0b, ...STOP],
    ],
    ["answers with no status", () => [...call("set_status_code", i32(99)), ...STOP]],
  ] as const)("%s: 500, and the next request is served", async (_what, program) => {
    const { ask, logged } = await start((text) => [program(text)]);
    for (let round = 0; round < 2; round += 1) {
      const asked = await ask("/");
      expect([asked.status, asked.text, asked.passed]).toEqual([500, "Internal Server Error", undefined]);
    }
    expect(logged.filter((line) => line.startsWith("error: "))).toHaveLength(2);
  });

  it("runs for ever: it is stopped, and nothing else waits for it", async () => {
    const { ask, clock, logged } = await start(() => [[...FOREVER, ...NEXT]]);
    const asked = ask("/");
    await nextTurn();
    clock.advance(5_000);
    expect((await asked).status).toBe(500);
    expect(logged).toEqual(["error: wasm: the guest failed: it took longer than 5000 ms"]);
  });

  it("reads more of a body than may be held: the caller hears what was wrong", async () => {
    const { ask } = await start(() => [[...read(REQUEST), ...DROP, ...DROP, ...NEXT]]);
    await expect(ask("/", { body: Buffer.alloc(2_000) })).rejects.toThrow("1024");
  });

  it("hears of a failure of the next handler, which goes on its way", async () => {
    const { middleware, ask, logged } = await start((text) => [
      NEXT,
      call("log", i32(0), [...text("failed"), ...DROP, ...i32(5), ...FAILED, 0x6a]),
    ]);
    await expect(middleware.handle(plainRequest("/"), () => Promise.reject(new Error("app down")))).rejects.toThrow(
      "app down",
    );
    await ask("/");
    expect(logged).toEqual(["info: failed", "info: faile"]);
  });
});

describe("what is no guest", () => {
  it.each([
    [{}, "wasm: failed to parse metadata: missing url"],
    [{ url: "guest.wasm" }, "wasm: failed to parse metadata: invalid URL: guest.wasm"],
    [{ url: "oci://x/y" }, "wasm: failed to parse metadata: unsupported URL scheme: oci"],
    [{ url: "file://nowhere.wasm" }, "nowhere.wasm: no such file or directory"],
    [{ url: `file://${import.meta.filename}` }, "wasm: error compiling guest: invalid magic number"],
    [{ url: "file://guest.wasm", maxInstances: "0" }, "metadata field maxInstances must be at least 1"],
  ])("%j does not start", async (metadata, message) => {
    await expect(
      openMiddleware(httpWasmManifest, metadata as Record<string, string>, { directory: folder }),
    ).rejects.toThrow(message);
  });

  it("a module without the functions, or with too much memory, does not start", async () => {
    const empty = Buffer.from([0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]);
    const big = new GuestBuilder().build(NEXT, [], [4_000]);
    for (const [bytes, message] of [
      [empty, "wasm: guest doesn't export func[handle_request]"],
      [big, "the guest needs 4000 pages of memory, more than the limit of 2048"],
    ] as const) {
      await writeFile(join(folder, "guest.wasm"), bytes);
      await expect(
        openMiddleware(httpWasmManifest, { url: "file://guest.wasm" }, { directory: folder }),
      ).rejects.toThrow(message);
    }
  });
});

it("makes no instance after its init has been given up", async () => {
  await writeFile(join(folder, "guest.wasm"), new GuestBuilder().build(NEXT));
  const middleware = (await httpWasmManifest.load())(middlewareDeps({ directory: folder }).deps);
  await expect(middleware.init({ url: "file://guest.wasm" }, AbortSignal.abort(new Error("too late")))).rejects.toThrow(
    "too late",
  );
});
