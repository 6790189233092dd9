/** What a plain YAML scalar means. Integers beyond 2^53 are bigints. */
export type ScalarValue = string | number | bigint | boolean | null;

/**
 * The two YAML readers of daprd, which differ in booleans and octals: resources go through sigs.k8s.io/yaml (go-yaml 2,
 * YAML 1.1 booleans), standalone Configuration files through go-yaml 3.
 */
export type YamlDialect = "kubernetes" | "go-yaml-3";

const NULLS: ReadonlySet<string> = new Set(["", "~", "null", "Null", "NULL"]);
const TRUES: ReadonlySet<string> = new Set(["true", "True", "TRUE"]);
const FALSES: ReadonlySet<string> = new Set(["false", "False", "FALSE"]);
const YAML_1_1_TRUES: ReadonlySet<string> = new Set(["y", "Y", "yes", "Yes", "YES", "on", "On", "ON"]);
const YAML_1_1_FALSES: ReadonlySet<string> = new Set(["n", "N", "no", "No", "NO", "off", "Off", "OFF"]);
const NOT_FINITE: ReadonlyMap<string, number> = new Map([
  ...[".nan", ".NaN", ".NAN"].map((text) => [text, Number.NaN] as const),
  ...[".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"].map((text) => [text, Number.POSITIVE_INFINITY] as const),
  ...["-.inf", "-.Inf", "-.INF"].map((text) => [text, Number.NEGATIVE_INFINITY] as const),
]);

const DECIMAL = /^[-+]?(?:0|[1-9][0-9]*)$/;
const PREFIXED = /^([-+]?)0(x[0-9a-f]+|b[01]+|o?[0-7]+)$/i;
const FLOAT = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;

/** From this decimal exponent on `%g` writes exponents, when it looks for the shortest digits. */
const FLOAT_G_EXPONENT_MAX = 6;
const FLOAT32_DIGITS_MAX = 9;

const INT64_MIN = -(1n << 63n);
const UINT64_MAX = (1n << 64n) - 1n;

/** What an unquoted scalar means to go-yaml (resolve.go of both versions). Dates stay the text they are. */
export function resolvePlainScalar(text: string, dialect: YamlDialect): ScalarValue {
  if (NULLS.has(text)) {
    return null;
  }
  if (TRUES.has(text) || (dialect === "kubernetes" && YAML_1_1_TRUES.has(text))) {
    return true;
  }
  if (FALSES.has(text) || (dialect === "kubernetes" && YAML_1_1_FALSES.has(text))) {
    return false;
  }
  const notFinite = NOT_FINITE.get(text);
  if (notFinite !== undefined) {
    return notFinite;
  }
  return resolveNumber(text.replaceAll("_", "")) ?? text;
}

/** The boolean that a string stands for where a boolean is expected, as go-yaml 3 reads YAML 1.1 files. */
export function yaml11Boolean(text: string): boolean | undefined {
  if (YAML_1_1_TRUES.has(text)) {
    return true;
  }
  return YAML_1_1_FALSES.has(text) ? false : undefined;
}

function resolveNumber(text: string): number | bigint | undefined {
  const integer = resolveInteger(text);
  if (integer !== undefined && integer >= INT64_MIN && integer <= UINT64_MAX) {
    return integer >= Number.MIN_SAFE_INTEGER && integer <= Number.MAX_SAFE_INTEGER ? Number(integer) : integer;
  }
  if (!FLOAT.test(text)) {
    return undefined;
  }
  const float = Number(text);
  return Number.isFinite(float) ? float : undefined;
}

function resolveInteger(text: string): bigint | undefined {
  if (DECIMAL.test(text)) {
    return BigInt(text.startsWith("+") ? text.slice(1) : text);
  }
  const prefixed = PREFIXED.exec(text);
  if (prefixed === null) {
    return undefined;
  }
  const [, sign, digits = ""] = prefixed;
  const magnitude = BigInt(/^[0-7]/.test(digits) ? `0o${digits}` : `0${digits.toLowerCase()}`);
  return sign === "-" ? -magnitude : magnitude;
}

/** An unquoted scalar where a string is wanted: go-yaml 3 keeps its text, sigs.k8s.io/yaml prints what it means. */
export function plainScalarToText(text: string, dialect: YamlDialect): string {
  const value = resolvePlainScalar(text, dialect);
  if (value === null) {
    return "";
  }
  if (dialect === "go-yaml-3") {
    return text;
  }
  return typeof value === "number" && resolveInteger(text.replaceAll("_", "")) === undefined
    ? formatFloat32(value)
    : String(value);
}

/** Go's `strconv.FormatFloat(value, 'g', -1, 32)`: the shortest digits that name the same float32. */
function formatFloat32(value: number): string {
  const rounded = Math.fround(value);
  if (!Number.isFinite(rounded)) {
    return Number.isNaN(rounded) ? "NaN" : rounded > 0 ? "+Inf" : "-Inf";
  }
  const [mantissa = "", exponentText = "0"] = shortestExponential(rounded).split("e");
  const exponent = Number(exponentText);
  if (exponent >= -4 && exponent < FLOAT_G_EXPONENT_MAX) {
    return String(Number(`${mantissa}e${exponent}`));
  }
  return `${mantissa}e${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`;
}

function shortestExponential(float32: number): string {
  for (let digits = 0; digits < FLOAT32_DIGITS_MAX; digits++) {
    const text = float32.toExponential(digits);
    if (Math.fround(Number(text)) === float32) {
      return text;
    }
  }
  return float32.toExponential();
}
