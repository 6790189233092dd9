import { expect, it } from "vitest";
import { hideUserInfo } from "./hidden-user-info.ts";

it("takes passwords out of URLs, and leaves the rest", () => {
  expect(hideUserInfo('dial "redis://me:p$&w@h:1/db" and http://a:b@c, not http://h:80/x@y or a:b@c')).toBe(
    'dial "redis://me:(hidden)@h:1/db" and http://a:(hidden)@c, not http://h:80/x@y or a:b@c',
  );
});
