/**
 * A path's segments with `.` and `..` resolved and repeated slashes removed, joined without a leading or trailing slash,
 * as Go's path.Clean leaves them. `..` at the root stays there.
 */
export function cleanPath(path: string): string {
  if (!needsCleaning(path)) {
    return path;
  }
  const kept: string[] = [];
  for (const segment of path.split("/")) {
    if (segment === "..") {
      kept.pop();
    } else if (segment !== "" && segment !== ".") {
      kept.push(segment);
    }
  }
  return kept.join("/");
}

function needsCleaning(path: string): boolean {
  return (
    path.startsWith("/") || path.endsWith("/") || path.startsWith(".") || path.includes("//") || path.includes("/.")
  );
}
