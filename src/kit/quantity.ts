const QUANTITY = /^([+-]?)([0-9]*)(?:\.([0-9]*))?([eEinumkKMGTP]*)([-+]?[0-9]*)$/;

const BINARY_EXPONENTS: Readonly<Record<string, number>> = { Ki: 10, Mi: 20, Gi: 30, Ti: 40, Pi: 50, Ei: 60 };
const DECIMAL_EXPONENTS: Readonly<Record<string, number>> = {
  "": 0,
  n: -9,
  u: -6,
  m: -3,
  k: 3,
  M: 6,
  G: 9,
  T: 12,
  P: 15,
  E: 18,
};

const BYTES_MAX = (1n << 63n) - 1n;
const EXPONENT_MAX = 400;

/** Thrown for text that is no Kubernetes resource quantity, or one that is not a whole number of bytes. */
export class InvalidQuantityError extends Error {
  override readonly name = "InvalidQuantityError";
}

/**
 * Reads a Kubernetes resource quantity (`4Mi`, `1.5G`, `500`, `2e3`) as a number of bytes. Texts of errors are those of
 * k8s.io/apimachinery `resource.ParseQuantity`; quantities that are not a whole number of bytes are refused as daprd
 * refuses them. (`1.5Mi`, a whole number that daprd's conversion cannot see, is accepted.)
 * @throws InvalidQuantityError
 */
export function parseQuantity(text: string): number {
  const match = text === "" ? null : QUANTITY.exec(text);
  if (match === null) {
    throw new InvalidQuantityError(
      "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
    );
  }
  const [, sign, whole = "", fraction = "", letters = "", exponentDigits = ""] = match;
  const [base, exponent] = interpretSuffix(letters, exponentDigits);
  if (whole === "" && fraction === "") {
    throw new InvalidQuantityError("unable to parse numeric part of quantity");
  }
  const digits = BigInt(whole + fraction);
  const numerator = digits * (base === 2n ? base ** BigInt(exponent) : base ** BigInt(Math.max(exponent, 0)));
  const denominator = 10n ** BigInt(fraction.length + (base === 10n ? Math.max(-exponent, 0) : 0));
  const bytes = numerator / denominator;
  if (numerator % denominator !== 0n || bytes > BYTES_MAX) {
    throw new InvalidQuantityError(`cannot get bytes from resource quantity value '${text}'`);
  }
  return Number(sign === "-" ? -bytes : bytes);
}

function interpretSuffix(letters: string, exponentDigits: string): readonly [base: bigint, exponent: number] {
  const decimal = DECIMAL_EXPONENTS[letters];
  const binary = BINARY_EXPONENTS[letters];
  if (exponentDigits === "" && decimal !== undefined) {
    return [10n, decimal];
  }
  if (exponentDigits === "" && binary !== undefined) {
    return [2n, binary];
  }
  const exponent = Number(exponentDigits);
  if ((letters !== "e" && letters !== "E") || !/[0-9]$/.test(exponentDigits) || Math.abs(exponent) > EXPONENT_MAX) {
    throw new InvalidQuantityError("unable to parse quantity's suffix");
  }
  return [10n, exponent];
}
