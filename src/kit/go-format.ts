/** A value decoded from JSON as Go's `%v` prints it; Dapr's log lines show event ids and topics this way. */
export function goFormat(value: unknown): string {
  switch (typeof value) {
    case "string":
      return value;
    case "number":
      return goNumber(value);
    case "boolean":
      return String(value);
    case "object":
      return goObject(value);
    default:
      return "<nil>";
  }
}

function goObject(value: object | null): string {
  if (value === null) {
    return "<nil>";
  }
  if (Array.isArray(value)) {
    return `[${value.map(goFormat).join(" ")}]`;
  }
  const fields = value as Readonly<Record<string, unknown>>;
  const members = Object.keys(fields).toSorted();
  return `map[${members.map((name) => `${name}:${goFormat(fields[name])}`).join(" ")}]`;
}

/** Go switches to an exponent at 21 digits, as JavaScript does, but always writes two digits of it. */
function goNumber(value: number): string {
  const exponent = value === 0 ? 0 : Math.floor(Math.log10(Math.abs(value)));
  if (exponent >= -4 && exponent < 21) {
    return String(value);
  }
  return value.toExponential().replace(/e([+-])(\d)$/, "e$10$2");
}
