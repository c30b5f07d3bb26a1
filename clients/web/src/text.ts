const ENTITIES: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  '#39': "'",
  '#x27': "'",
  apos: "'",
};

/** The text that was HTML-escaped for the wire, as its author wrote it. Never put it into a page as HTML. */
export function unescapeHtml(text: string): string {
  return text.replace(/&(#39|#x27|\w+);/g, (whole, name: string) => ENTITIES[name] ?? whole);
}
