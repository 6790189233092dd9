import { spawn } from "node:child_process";
import type { OrphanGuard } from "./types.ts";

/** Process groups that one guard looks after. */
const GROUPS_MAX = 1_024;

/**
 * Reads `+ pid`, `- pid` and `q` until the pipe ends, which it does when the process that holds its other end is gone,
 * however it went. Only the shell's own words, since there may be no PATH.
 */
const SCRIPT = `
trap '' INT TERM HUP QUIT
groups=' '
while read -r word pid; do
  case $word in
    +) groups="$groups$pid " ;;
    -) left=' '
       for one in $groups; do
         if [ "$one" != "$pid" ]; then left="$left$one "; fi
       done
       groups=$left ;;
    q) exit 0 ;;
  esac
done
for one in $groups; do
  kill -9 "-$one" 2>/dev/null
done
`;

/**
 * Starts the guard: a shell in a session of its own, so that neither the terminal's signals nor the end of this process
 * take it along. It costs a megabyte and no CPU. Where there is no `/bin/sh`, and on Windows, there is none, and a killed
 * `outrigger` leaves its apps running. It keeps the event loop alive until it is closed.
 */
export function startOrphanGuard(): OrphanGuard {
  if (process.platform === "win32") {
    return { add() {}, remove() {}, close() {} };
  }
  const guard = spawn("/bin/sh", ["-c", SCRIPT, "outrigger-orphan-guard"], {
    cwd: "/",
    env: {},
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  guard.on("error", () => {});
  // A guard that somebody has killed takes no more words.
  guard.stdin.on("error", () => {});
  const groups = new Set<number>();
  let open = true;
  const tell = (words: string): void => {
    if (open && guard.stdin.writable) {
      guard.stdin.write(`${words}\n`);
    }
  };
  return {
    add(pid) {
      if (groups.size >= GROUPS_MAX) {
        throw new Error(`more than ${GROUPS_MAX} processes under one guard`);
      }
      groups.add(pid);
      tell(`+ ${pid}`);
    },
    remove(pid) {
      if (groups.delete(pid)) {
        tell(`- ${pid}`);
      }
    },
    close() {
      tell("q");
      open = false;
      guard.stdin.end();
    },
  };
}
