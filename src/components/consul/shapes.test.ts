import { expect, test } from "vitest";
import { readConfiguration } from "./shapes.ts";

test("names are the agent's, however they are written, and nothing stands for what was not said", () => {
  expect(
    readConfiguration({
      selfregister: true,
      CHECKS: [{ checkid: "a", Http: "http://x", header: { A: ["1"] } }],
      client: { tlsConfig: { insecureSkipVerify: true }, token: null },
    }),
  ).toEqual({
    SelfRegister: true,
    Checks: [{ CheckID: "a", HTTP: "http://x", Header: { A: ["1"] } }],
    Client: { TLSConfig: { InsecureSkipVerify: true } },
  });
});

test.each([
  [{ selfRegistre: true }, 'json: unknown field "selfRegistre"'],
  [{ client: { adress: "x" } }, 'json: unknown field "adress"'],
  [{ checks: [{ interval: 5 }] }, "checks[0].interval must be text, not 5"],
  [{ checks: {} }, "checks must be a list, not a map"],
  [{ client: [] }, "client must be a map of fields, not a list"],
  [{ meta: { a: 1 } }, "meta must be a map of texts, not a map"],
  [{ queryOptions: { waitTime: "5s" } }, 'queryOptions.waitTime must be a whole number, not "5s"'],
  [{ advancedRegistration: { connect: { sidecarService: { prot: 1 } } } }, 'unknown field "prot"'],
])("%j is refused", (written, text) => {
  expect(() => readConfiguration(written)).toThrow(`error deserializing to configSpec: `);
  expect(() => readConfiguration(written)).toThrow(text);
});
