import { expect, it } from "vitest";
import { systemRandom } from "../../kit/random.ts";
import { VirtualClock } from "../../kit/virtual-clock.fixture.ts";
import { SESSION_MS, sessionCookie, sessionIdOf, Sessions } from "./sessions.ts";

const pending = { state: "s", target: "/" };

function setUp() {
  const clock = new VirtualClock();
  return { clock, sessions: new Sessions(clock, systemRandom) };
}

it("a session ends after two hours, or with its token", () => {
  const { clock, sessions } = setUp();
  const id = sessions.begin(undefined, pending);
  expect(sessions.pendingOf(id)).toEqual(pending);
  const long = sessions.signIn(id, "Bearer a", 10 * SESSION_MS);
  const short = sessions.signIn(sessions.begin(undefined, pending), "Bearer b", 1_000);
  expect([sessions.headerOf(long), sessions.headerOf(short), sessions.pendingOf(id)]).toEqual([
    "Bearer a",
    "Bearer b",
    undefined,
  ]);
  clock.advance(1_000);
  expect([sessions.headerOf(long), sessions.headerOf(short)]).toEqual(["Bearer a", undefined]);
  clock.advance(SESSION_MS - 1_000);
  expect(sessions.headerOf(long)).toBeUndefined();
});

it("an id that somebody made up begins nothing under that id", () => {
  const { sessions } = setUp();
  const made = "a".repeat(43);
  expect(sessions.begin(made, pending)).not.toBe(made);
  const own = sessions.begin(undefined, pending);
  expect(sessions.begin(own, { ...pending, state: "t" })).toBe(own);
  expect(sessions.pendingOf(own)?.state).toBe("t");
});

it("a flood of people who only begin to sign in puts out nobody who has", () => {
  const { sessions } = setUp();
  const signedIn = sessions.signIn(sessions.begin(undefined, pending), "Bearer a", SESSION_MS);
  const first = sessions.begin(undefined, pending);
  for (let round = 0; round < 10_000; round += 1) sessions.begin(undefined, pending);
  expect([sessions.headerOf(signedIn), sessions.pendingOf(first)]).toEqual(["Bearer a", undefined]);
});

it.each([
  [undefined, undefined],
  ["", undefined],
  ["gosessionsid=", undefined],
  ["gosessionsid=short", undefined],
  [`gosessionsid=${"a".repeat(44)}`, undefined],
  [`xgosessionsid=${"a".repeat(43)}`, undefined],
  [`a=1; gosessionsid=${"a".repeat(43)}; b=2`, "a".repeat(43)],
])("in the cookies %j is %j", (cookies, id) => {
  expect(sessionIdOf(cookies)).toBe(id);
});

it.each([
  ["shop.test", "Domain=shop.test; "],
  ["a.b.shop.test:8080", "Domain=shop.test; "],
  ["localhost:3500", ""],
  ["127.0.0.1:3500", ""],
  ["[::1]:3500", ""],
  ["evil.test; Domain=x.test", ""],
])("the cookie for host %s", (host, domain) => {
  expect(sessionCookie("id", host, 0, true)).toBe(
    `gosessionsid=id; Path=/; ${domain}Expires=Thu, 01 Jan 1970 02:00:00 GMT; HttpOnly; Secure; SameSite=Lax`,
  );
});
