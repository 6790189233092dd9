import { expect, test } from "vitest";
import { readOptions } from "./options.ts";

const agentOf = (client: object | undefined, environment: Record<string, string> = {}) =>
  readOptions(client === undefined ? {} : { client: JSON.stringify(client) }, environment).agent;

test("without a word the agent is the one of this machine", () => {
  expect(agentOf(undefined)).toMatchObject({ origin: "http://127.0.0.1:8500", token: "", basicAuth: "" });
});

test.each([
  [{ address: "consul:8500", scheme: "https" }, {}, "https://consul:8500", undefined],
  [{ address: "https://consul:8501" }, {}, "https://consul:8501", undefined],
  [{ address: "unix:///run/consul.sock" }, {}, "http://127.0.0.1", "/run/consul.sock"],
  [undefined, { CONSUL_HTTP_ADDR: "[::1]:8500", CONSUL_HTTP_SSL: "true" }, "https://[::1]:8500", undefined],
  [{ address: "here:1" }, { CONSUL_HTTP_ADDR: "there:1" }, "http://here:1", undefined],
])("%j with %j is %s", (client, environment, origin, socketPath) => {
  expect(agentOf(client, environment as Record<string, string>)).toMatchObject({ origin, socketPath });
});

test("the environment fills in what the configuration leaves out", () => {
  const environment = {
    CONSUL_HTTP_TOKEN: "t",
    CONSUL_CACERT: "ca",
    CONSUL_HTTP_SSL_VERIFY: "false",
    CONSUL_HTTP_AUTH: "u:p",
  };
  expect(agentOf({}, environment)).toMatchObject({
    token: "t",
    basicAuth: "u:p",
    tls: { caFile: "ca", verify: false },
  });
  expect(agentOf({ token: "own", tlsConfig: { caFile: "own" } }, environment)).toMatchObject({
    token: "own",
    tls: { caFile: "own" },
  });
});

test.each([
  [{ client: "no json" }, "client is no list or map"],
  [{ client: '{"address":"ftp://x"}' }, "failed to init consul client: ftp://x is no address of an agent"],
])("%j is refused", (metadata, text) => {
  expect(() => readOptions(metadata as unknown as Record<string, string>, {})).toThrow(text);
});
