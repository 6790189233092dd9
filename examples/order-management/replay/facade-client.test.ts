import { expect, it } from "vitest";
import { FacadeClient, GivenUpError } from "./facade-client.ts";

/** Longer than a busy machine makes a test wait. */
const PATIENT_MS = 60_000;
const IMPATIENT_MS = 50;

/** A façade that gives these answers, one after the other and the last of them for ever; an error is one of the network. */
function facade(answers: readonly (Response | Error)[], patienceMs = PATIENT_MS) {
  const requests: { url: string; init: RequestInit }[] = [];
  const stopped = new AbortController();
  const client = new FacadeClient({
    url: "http://facade",
    apiKey: "key",
    signal: stopped.signal,
    patienceMs,
    pauseMs: 1,
    fetch: async (url, init) => {
      requests.push({ url: url as string, init: init! });
      const answer = answers[Math.min(requests.length, answers.length) - 1]!;
      return await (answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer.clone()));
    },
  });
  return { client, requests, stopped };
}

it("sends what it is given, with its key, and takes the first answer that there is", async () => {
  const { client, requests } = facade([Response.json({ id: "R1" }, { status: 409 })]);
  expect(await client.send("POST", "/reservations", { id: "R1" })).toEqual({
    status: 409,
    body: { id: "R1" },
    attempts: 1,
    ms: expect.any(Number) as number,
  });
  expect(requests).toHaveLength(1);
  expect(requests[0]).toMatchObject({
    url: "http://facade/reservations",
    init: {
      method: "POST",
      headers: { "x-api-key": "key", "content-type": "application/json" },
      body: '{"id":"R1"}',
    },
  });
});

it.each([
  ["a connection that is refused", new TypeError("fetch failed")],
  ["a fault of the server", Response.json({ error: { code: "unavailable" } }, { status: 503 })],
  ["an answer that is cut off", new Response('{"id"', { status: 200 })],
])("asks again after %s", async (_what, fault) => {
  const { client, requests } = facade([fault, fault, Response.json({}, { status: 202 })]);
  expect(await client.send("DELETE", "/reservations/R1")).toMatchObject({ status: 202, attempts: 3 });
  expect(requests).toHaveLength(3);
});

it("gives up when its patience is over, and says of what it was told last", async () => {
  const { client, requests } = facade(
    [new TypeError("fetch failed", { cause: new Error("ECONNREFUSED") })],
    IMPATIENT_MS,
  );
  const failure = await client.send("GET", "/healthz").catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(GivenUpError);
  expect((failure as GivenUpError).message).toBe("GET /healthz: ECONNREFUSED");
  expect((failure as GivenUpError).attempts).toBe(requests.length);
  expect((failure as GivenUpError).ms).toBeGreaterThan(IMPATIENT_MS);
});

it("stops at once when it is told to", async () => {
  const { client, stopped } = facade([new Error("no")]);
  stopped.abort(new Error("Ctrl-C"));
  await expect(client.send("GET", "/healthz")).rejects.toThrow("Ctrl-C");
});
