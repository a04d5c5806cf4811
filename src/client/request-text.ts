/** What requests of the page and of the console have in common. */

export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

/** `?` and what of the query is set; empty where nothing is. */
export function queryText(query: Query): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) search.set(name, String(value));
  }
  return search.size === 0 ? '' : `?${search.toString()}`;
}

/** The parsed body, or undefined where it is not JSON. */
export async function jsonOf(response: Response): Promise<unknown> {
  try {
    return await response.json();
  } catch {
    return undefined;
  }
}
