import { describe, expect, it } from "vitest";
import type { MetadataField } from "../components/spi/component.ts";
import { secretHider } from "./hidden-secrets.ts";

const FIELDS: readonly MetadataField[] = [
  { name: "redisHost", kind: "string", description: "" },
  { name: "redisUsername", kind: "string", description: "" },
  { name: "redisPassword", kind: "string", sensitive: true, description: "" },
  { name: "clientKey", kind: "string", sensitive: true, description: "" },
];

const hider = (values: Readonly<Record<string, string>>, secretNames: Readonly<Record<string, string>> = {}) =>
  secretHider({ values: Object.entries(values).map(([name, value]) => ({ name, value })), secretNames }, FIELDS);

describe("secretHider", () => {
  it("takes out fields that the manifest calls sensitive, in any case, and those from a secret store", () => {
    const hide = hider({ redispassword: "swordfish", redisUsername: "admiral" }, { redisUsername: "vault" });
    expect(hide("no admiral with swordfish at redis:6379")).toBe("no (hidden) with (hidden) at redis:6379");
  });

  it("takes out quoted forms, and the longest first", () => {
    const hide = hider({ redisPassword: 'a"long\nsecret', clientKey: 'a"long\nsecret, longer' });
    expect(hide(String.raw`open 'a\"long\nsecret, longer': no such file`)).toBe("open '(hidden)': no such file");
  });

  it("takes out the passwords of connection strings and of any URL, also decoded", () => {
    const hide = hider({ redisPassword: "host=h password=pa%20rt x=1", redisHost: "redis://me:hunter2@h" });
    expect(hide("bad parameter pa rt, bad parameter pa%20rt")).toBe("bad parameter (hidden), bad parameter (hidden)");
    expect(hide("lookup [redis://me:hunter2@h]: no such host")).toBe("lookup [redis://me:(hidden)@h]: no such host");
  });

  it("leaves what is no secret, and values too short to be told from words", () => {
    const hide = hider({ redisHost: "localhost:6379", redisPassword: "no" });
    expect(hide("dial localhost:6379: no such host")).toBe("dial localhost:6379: no such host");
  });
});
