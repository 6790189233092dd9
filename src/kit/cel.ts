/** A compiled expression; a variable that is missing, or has the wrong type, throws. Whole numbers are bigint. */
export type CelProgram = (variables: Readonly<Record<string, unknown>>) => unknown;

/**
 * Compiles expressions of the Common Expression Language, whose variables may have any type. The library is loaded for
 * the first expression.
 * @throws Error for an expression that does not parse
 */
export async function compileCel(expressions: readonly string[]): Promise<readonly CelProgram[]> {
  const { Environment } = await import("@marcbachmann/cel-js");
  const environment = new Environment({ unlistedVariablesAreDyn: true });
  return expressions.map((expression) => {
    const evaluate = environment.parse(expression);
    return (variables) => evaluate(variables) as unknown;
  });
}
