/**
 * Operations on a store, one after the other: what is put is put in the order of the calls, and a
 * load sees every change made before it and none made after.
 */
type StoreLine = <T>(operation: () => Promise<T>) => Promise<T>;

export function createStoreLine(): StoreLine {
  let tail: Promise<unknown> = Promise.resolve();
  return (operation) => {
    const result = tail.then(operation);
    tail = result.catch(() => {});
    return result;
  };
}
