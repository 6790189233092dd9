import { expect, it } from "vitest";
import { KEY_STATES_MAX, KeyStates } from "./key-states.ts";

const state = { createRevision: 1, modRevision: 2, version: 2, bytes: 10 };

it("tells keys that are not there from those that are not known", () => {
  const states = new KeyStates();
  states.note("there", state);
  states.note("absent", undefined);
  expect([states.has("there"), states.get("there")]).toEqual([true, state]);
  expect([states.has("absent"), states.get("absent")]).toEqual([true, undefined]);
  expect(states.has("unknown")).toBe(false);
  states.forget("there");
  expect(states.has("there")).toBe(false);
});

it("forgets what was noted least recently", () => {
  const states = new KeyStates();
  for (let key = 0; key < KEY_STATES_MAX; key += 1) {
    states.note(String(key), state);
  }
  states.note("0", state);
  states.note("one more", state);
  expect([states.has("0"), states.has("1"), states.has("2")]).toEqual([true, false, true]);
});
