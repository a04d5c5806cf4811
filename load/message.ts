/**
 * How messages of a load run are named: each by its user and its number, in its id, and in its text,
 * where the model's process finds it.
 */

/** What a marked text begins with, as it stands in the JSON of a request to the model. */
export const MESSAGE_MARK = '"content":"#';
/** More messages than any user of a bounded run sends. */
const NUMBER_SPAN = 2 ** 22;

export function messageKey(user: number, number: number): number {
  return user * NUMBER_SPAN + number;
}

export function messageId(user: number, number: number): string {
  return `${user}.${number}`;
}

/** The key that stands at the beginning of a JSON text from the mark on; NaN where there is none. */
export function messageKeyAt(json: string): number {
  const [, user, number] = /^"content":"#(\d+)\.(\d+) /.exec(json) ?? [];
  return user === undefined || number === undefined ? Number.NaN : messageKey(Number(user), Number(number));
}

/**
 * About as long as what a person asks; no two are the same.
 * @param directive for the simulator, like `tokens=200 fault=stall`
 */
export function messageText(user: number, number: number, directive = ''): string {
  const text = `#${user}.${number} What changed since the last time that we spoke about it?`;
  return directive === '' ? text : `${text} [[sim ${directive}]]`;
}
