/** The key code of a key that an input method took. */
const TAKEN_KEY_CODE = 229;

/**
 * Whether an input method uses this key for itself. Safari reports the Enter that ends a composition
 * after its end, no longer as composing: only the outdated key code still tells.
 */
export function isComposing(event: KeyboardEvent): boolean {
  return event.isComposing || event.keyCode === TAKEN_KEY_CODE;
}
