/** The circles that walks through a graph close, each as the names along it; the first name stands at the end again. */
export function circlesOf(graph: ReadonlyMap<string, Iterable<string>>): readonly (readonly string[])[] {
  const done = new Set<string>();
  const path: string[] = [];
  const found: (readonly string[])[] = [];
  const walk = (name: string): void => {
    const start = path.indexOf(name);
    if (start !== -1) {
      found.push([...path.slice(start), name]);
      return;
    }
    if (done.has(name)) return;
    path.push(name);
    for (const next of graph.get(name) ?? []) walk(next);
    path.pop();
    done.add(name);
  };
  for (const name of graph.keys()) walk(name);
  return found;
}
