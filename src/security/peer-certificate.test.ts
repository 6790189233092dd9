import { describe, expect, it } from "vitest";
import { identityOf, mismatch } from "./peer-certificate.ts";

const APP = "URI:spiffe://public/ns/default/app";

describe("identityOf", () => {
  it("reads the one URI, whatever other names there are", () => {
    const id = { trustDomain: "public", namespace: "default", appId: "app" };
    expect(identityOf({ ca: false, subjectAltName: APP })).toEqual({ id });
    expect(identityOf({ ca: false, subjectAltName: `DNS:a.example, ${APP}, IP Address:127.0.0.1` })).toEqual({ id });
  });

  it.each([
    [undefined, "its certificate has no SPIFFE id"],
    ["", "its certificate has no SPIFFE id"],
    ["DNS:spiffe://public/ns/default/app", "its certificate has no SPIFFE id"],
    [`${APP}, ${APP}`, "its certificate has more than one URI"],
    [`${APP}, URI:https://example.com`, "its certificate has more than one URI"],
    ["URI:https://example.com", "https://example.com is not the SPIFFE id of a Dapr workload"],
    [`DNS:"x, ${APP}, y"`, "its certificate has names with characters that no name needs"],
  ])("finds nobody in %s", (subjectAltName, fault) => {
    expect(identityOf({ ca: false, subjectAltName })).toEqual({ fault });
  });

  it("finds nobody in the certificate of an authority", () => {
    expect(identityOf({ ca: true, subjectAltName: APP })).toEqual({
      fault: "its certificate is that of a certificate authority",
    });
  });
});

describe("mismatch", () => {
  const expected = { trustDomain: "public", namespace: "default", appId: "app" };

  it("is content with the expected peer, in any trust domain where none is expected", () => {
    expect(mismatch(APP, expected)).toBeUndefined();
    expect(mismatch(APP.replace("public", "other"), { ...expected, trustDomain: undefined })).toBeUndefined();
  });

  it.each([
    [APP.replace("public", "other"), "spiffe://other/ns/default/app"],
    [APP.replace("default", "prod"), "spiffe://public/ns/prod/app"],
    [`${APP}2`, "spiffe://public/ns/default/app2"],
    [`${APP}/more`, "spiffe://public/ns/default/app/more"],
  ])("names %s, which was not expected", (names, uri) => {
    const wanted = "spiffe://public/ns/default/app";
    expect(mismatch(names, expected)).toBe(`unexpected SPIFFE ID: "${uri}", expected "${wanted}"`);
  });

  it("says what is wrong with names that are nobody's", () => {
    expect(mismatch("DNS:app", expected)).toBe("its certificate has no SPIFFE id");
  });
});
