import { afterAll, describe } from "vitest";
import { openKeyStore } from "../../src/control-plane/scheduler/store/open-key-store.ts";
import { systemClock } from "../../src/kit/system-clock.ts";
import { temporaryFolder } from "../harness/resources.ts";
import { keyStoreConformance } from "./key-store.ts";

const SPACE_BYTES = 1e9;

describe("the scheduler's store on SQLite", async () => {
  const folder = await temporaryFolder();
  afterAll(() => folder[Symbol.asyncDispose]());
  let opened = 0;
  keyStoreConformance(() => openKeyStore(`${folder.path}/${(opened += 1)}`, systemClock, SPACE_BYTES));
});
