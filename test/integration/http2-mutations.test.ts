import { expect, it } from "vitest";
import { seededRandom } from "../../src/kit/seeded-random.fixture.ts";
import { fuzz, mutate, rechunk } from "../fuzz/http2-mutations.ts";
import { record } from "../fuzz/recordings.ts";
import { PROPERTY_SEED } from "../property-seed.ts";

/** The long form is `node test/fuzz/run.ts`. */
const CONNECTIONS = 4_000;

it("connections of another implementation mean the same in any pieces, and break nothing when mutated", async () => {
  const seed = PROPERTY_SEED;
  const count = await fuzz(await record(), CONNECTIONS, seed);
  expect(count).toEqual({ rechunked: CONNECTIONS / 2, mutated: CONNECTIONS / 2 });
});

it("pieces are all of the bytes, and mutations are changes", () => {
  const random = seededRandom(1);
  const bytes = Buffer.from(Array.from({ length: 5_000 }, (_, i) => i % 256));
  expect(Buffer.concat(rechunk(bytes, random))).toEqual(bytes);
  const changed = Array.from({ length: 100 }, () => mutate(bytes, random)).filter((one) => !one.equals(bytes));
  expect(changed.length).toBeGreaterThan(90);
});
