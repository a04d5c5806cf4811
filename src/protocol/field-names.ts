/** How refusals name a field: only what looks like a name is repeated, anything else may be private. */

export function isFieldName(text: string): boolean {
  return /^\w{1,40}$/.test(text);
}

/** `path`: the fields that `key` stands in. */
export function unknownField(key: string | undefined, path: readonly string[] = []): string {
  if (key === undefined || !isFieldName(key)) return 'The body has an unknown field.';
  return `"${[...path, key].join('.')}" is not a known field.`;
}
