import { PAGE_KEYS } from "../limits.ts";
import type { Follower, Following, KeyRange, WatchedKeyStore } from "./key-store.ts";
import { contains, rangeAfter } from "./keys.ts";

/** Follows a range of a store whose every commit can be heard: nothing is ever missed, so it is read once. */
export function followCommits(store: WatchedKeyStore, range: KeyRange, follower: Follower): Following {
  let over = false;
  follower.begin();
  const unwatch = store.watch((changes, revision) => {
    const own = changes.filter((change) =>
      contains(range, Buffer.from(change.kind === "put" ? change.kv.key : change.key)),
    );
    if (own.length > 0) {
      void follower.changed(own, revision);
    }
  });
  const end = (): void => {
    over = true;
    unwatch();
  };
  const read = async (): Promise<void> => {
    for (let rest = range; !over;) {
      const page = await store.list(rest, { limit: PAGE_KEYS });
      if (over) {
        return;
      }
      await follower.page(page);
      const last = page.at(-1);
      if (last === undefined || page.length < PAGE_KEYS) {
        break;
      }
      rest = rangeAfter(rest, last.key);
    }
    if (!over) {
      follower.synced();
    }
  };
  const synced = read();
  synced.catch(end);
  return { synced, end };
}
