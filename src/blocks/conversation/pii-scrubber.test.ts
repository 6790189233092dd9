import { describe, expect, test } from "vitest";
import { PiiScrubber } from "./pii-scrubber.ts";

describe("personal data", () => {
  const scrubber = new PiiScrubber();

  test.each([
    ["my phone number is +2222222222", "my phone number is <PHONE_NUMBER>"],
    ["call 212-555-0123 ext 7!", "call <PHONE_NUMBER>!"],
    ["my email is test@test.com", "my email is <EMAIL_ADDRESS>"],
    ["from 10.8.9.1", "from <IP>"],
    ["at fe80::1", "at <IP>"],
    ["at 2001:db8:1:2:3:4:5:6, and", "at <IP>, and"],
    ["at ::ffff:10.0.0.1", "at <IP><IP>"],
    ["zip 12345", "zip <ZIP_CODE>"],
    ["card 4111-1111-1111-1111.", "card <CREDIT_CARD>."],
    ["lives at 12 Long Street.", "lives at <STREET_ADDRESS>"],
    ["P.O. Box 12", "<PO_BOX>"],
    ["mac 00:1a:2b:3c:4d:5e", "mac <MAC_ADDRESS>"],
    ["well hello there", "well hello there"],
    ["", ""],
  ])("%s", (text, scrubbed) => {
    expect(scrubber.scrub(text)).toBe(scrubbed);
  });

  test("links and Git repositories stay as they are", () => {
    const text = "see https://shop.example/orders/4111111111111111 and git@host.example:team/1234567890.git";
    expect(scrubber.scrub(text)).toBe(text);
  });

  test("a place within another does not shield what comes after it", () => {
    expect(scrubber.scrub("12 Oak Street 12345 and 4111 1111 1111 1111, a@b.example")).not.toMatch(/\d|@/);
  });

  test("text beyond the basic plane keeps its places", () => {
    expect(scrubber.scrub("😀 10.8.9.1 😀")).toBe("😀 <IP> 😀");
  });

  test("text made to be slow is not slow", () => {
    const text = `http://a.b${"(".repeat(5000)}${"a".repeat(20_000)}`;
    expect(scrubber.scrub(text)).toHaveLength(text.length);
  });
});
