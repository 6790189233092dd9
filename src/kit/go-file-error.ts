/** Go's words for what the operating system says, by Node's code. */
const TEXTS: Readonly<Record<string, string>> = {
  ENOENT: "no such file or directory",
  EACCES: "permission denied",
  EPERM: "operation not permitted",
  EISDIR: "is a directory",
  ENOTDIR: "not a directory",
  ELOOP: "too many levels of symbolic links",
  ENAMETOOLONG: "file name too long",
  EMFILE: "too many open files",
  ERR_INVALID_ARG_VALUE: "invalid argument",
};

/** The text of Go's `fs.PathError` for a failed file operation such as `open` or `stat`. */
export function goFileError(operation: string, path: string, error: unknown): string {
  const { code } = error as { readonly code?: unknown };
  const text = typeof code === "string" ? TEXTS[code] : undefined;
  return `${operation} ${path}: ${text ?? (error instanceof Error ? error.message : String(error))}`;
}
