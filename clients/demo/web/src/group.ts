/** Neighbours under headings, such as days; in their order. */
export function groupBy<T>(list: readonly T[], headingOf: (item: T) => string): [string, T[]][] {
  const groups: [string, T[]][] = [];
  for (const item of list) {
    const heading = headingOf(item);
    const last = groups.at(-1);
    if (last?.[0] === heading) last[1].push(item);
    else groups.push([heading, [item]]);
  }
  return groups;
}
