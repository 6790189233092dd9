import { expect, it } from "vitest";
import { stablePortCandidate } from "./stable-port.ts";

/** What the arithmetic of daprd 1.18.3 gave in Go. */
it.each([
  [{ appId: "myapp", cwd: "/work", userId: 0, hostname: "host" }, 49_234],
  [{ appId: "myapp", cwd: "/work", userId: 1000, hostname: "host" }, 55_206],
  [{ appId: "order-processor", cwd: "/srv/quickstarts", userId: 501, hostname: "laptop.local" }, 57_672],
  [{ appId: "", cwd: "/", userId: -1, hostname: "" }, 51_083],
])("is daprd's for %j", (identity, port) => {
  expect(stablePortCandidate(identity)).toBe(port);
});
