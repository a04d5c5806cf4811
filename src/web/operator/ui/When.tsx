import { isoTime } from '../../state/words.ts';
import { useConsole } from '../state/context.ts';
import { moment } from '../state/words.ts';

/** A moment; its exact time is a pointer away. */
export function When({ at }: { at: number }) {
  const { now } = useConsole();
  return (
    <time dateTime={isoTime(at)} title={isoTime(at)}>
      {moment(at, now.value)}
    </time>
  );
}
