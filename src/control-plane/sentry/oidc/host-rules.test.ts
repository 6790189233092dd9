import { describe, expect, it } from "vitest";
import { isAllowed, publicHost } from "./host-rules.ts";

describe("hosts of the OIDC server", () => {
  it.each([
    [[], "anything", "", true],
    [["*"], "anything", "", true],
    [["a.example"], "a.example", "", true],
    [["a.example"], "a.example:9080", "", true],
    [["a.example:9080"], "a.example:9080", "", true],
    [["a.example:9080"], "a.example:1", "", false],
    [["a.example"], "b.example", "", false],
    [["a.example"], "", "", false],
    [["a.example"], "b.example", "a.example", true],
    [["a.example"], "a.example", "b.example", false],
    [["a.example"], "a.example.evil.test", "", false],
    [["*.example"], "a.example", "", false],
  ])("allowed %j, host %j, forwarded %j: %s", (allowed, host, forwarded, expected) => {
    expect(isAllowed({ host, forwarded }, allowed)).toBe(expected);
  });

  it("name the server by what a proxy says only where it is listed", () => {
    const requested = { host: "inside:9080", forwarded: "a.example" };
    expect(publicHost(requested, ["a.example"])).toBe("a.example");
    expect(publicHost(requested, [])).toBe("inside:9080");
    expect(publicHost(requested, ["*"])).toBe("inside:9080");
    expect(publicHost(requested, ["*", "a.example"])).toBe("inside:9080");
  });

  it.each(["a.example/path", "user@a.example", "a b", "", 'a"b', "a.example:port", "[::1", "a\\b"])(
    "are not %j",
    (host) => {
      expect(publicHost({ host, forwarded: "" }, [])).toBeUndefined();
    },
  );

  it.each(["a.example", "a.example:9080", "[::1]:9080", "127.0.0.1"])("are %j", (host) => {
    expect(publicHost({ host, forwarded: "" }, [])).toBe(host);
  });
});
